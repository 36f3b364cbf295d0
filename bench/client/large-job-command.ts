import type { LargeJob } from '../../testkit/large-job.ts';
import { startLargeJobs } from '../../testkit/large-jobs.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import type { Conditions, PreparedCommand } from './row.ts';

const RUN = '0123456789abcdef';
/** Of each thousand part files, one has failures. */
const RESULTS_PER_FAILURE = 999;

/** A job of so many part files, of which one in a thousand has failures; its name is `large`. */
export function largeJob(parts: number, changed: Partial<LargeJob> = {}): LargeJob {
  const failures = Math.round(parts / (RESULTS_PER_FAILURE + 1));
  const counts = { results: parts - failures, failures, linesPerPart: 10, toGo: 0 };
  return { job: 'large', run: RUN, ...counts, isDescribed: true, ...changed };
}

/**
 * A command about a large job, behind a server that computes its part files.
 *
 * @param argsOf its arguments; files that it writes belong in the folder
 */
export async function largeJobCommand(
  { size, latencyMs }: Conditions,
  argsOf: (folder: string) => readonly string[],
  changed: Partial<LargeJob> = {},
): Promise<PreparedCommand> {
  const server = await startLargeJobs({ jobs: [largeJob(size, changed)], latencyMs });
  const folder = await createTemporaryFolder();
  return {
    args: argsOf(folder.path),
    environment: server.environment,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
