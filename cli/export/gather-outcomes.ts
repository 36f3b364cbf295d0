import type { JobRun } from '../../shared/contract/job-run.ts';
import { isCancelled, readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { latestParts } from '../../shared/jobs/list-parts.ts';
import { MeasuredTime } from '../../shared/jobs/measured-time.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { sampledLines } from '../../shared/jobs/sample-parts.ts';
import { downloadParts, type RewriteLines } from './download-parts.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { type Summary, summarize } from './summarize.ts';

export type GatherOptions = {
  /** For downloaded part files; the caller removes it. */
  folder: string;
  /** The version of labelqueue, for the summary. */
  version: string;
  onProgress?: (lines: number, total: number) => void;
  /** Rewrites the lines of result files. */
  rewriteResults?: RewriteLines;
};

/**
 * Fills the database with a job's outcomes so far, each image once, and sums them up.
 *
 * @throws {NoSuchJobError}
 */
export async function gatherOutcomes(
  target: JobTarget,
  job: string,
  database: OutcomeDatabase,
  { folder, version, onProgress = () => {}, rewriteResults }: GatherOptions,
): Promise<Summary> {
  // Read before the parts, so that the parts contain at least the outcomes that it counts.
  const description = await readJob(target, job);
  const of: JobRun = { job, run: description?.run };
  const cancelled = await isCancelled(target, of);
  // Failures first: a redrive turns them into results, never the reverse.
  const kinds = ['failures', 'results'] as const;
  const expected = await Promise.all(kinds.map((kind) => sampledLines(target, kind, of)));
  const total = expected.reduce((sum, { lines }) => sum + lines, 0);
  const time = new MeasuredTime();
  if (description === undefined && total === 0) {
    throw new NoSuchJobError(target, job);
  }
  let lines = 0;
  for (const kind of kinds) {
    const rewrite = kind === 'results' ? rewriteResults : undefined;
    for await (const batch of downloadParts(target, latestParts(target, kind, of, time), folder, rewrite)) {
      await database.load(kind, batch.files);
      lines += batch.lines;
      onProgress(lines, Math.max(lines, total));
    }
  }
  const repeatedLines = await database.deduplicate();
  return summarize(database, { job, description, cancelled, repeatedLines, time, version, now: new Date() });
}
