import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { MIN_OUTCOMES_FOR_FAILURE_RATE } from '../../shared/contract/limits.ts';
import { cancelJob, readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { listParts, totalLines } from '../../shared/jobs/list-parts.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** Counting takes a request per 1,000 part files, so it is not done at every failure. */
const COUNT_EVERY_MS = 15_000;

/**
 * Cancels a job of which too much fails, if its producer asked for that with `--max-failure-rate`. Any
 * worker that sees failures may do so: they all count the same part files.
 */
export class FailureRateGuard {
  readonly #bucket: Bucket;
  readonly #limits = new Map<string, number | undefined>();
  readonly #countedAt = new Map<string, number>();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** To be called when images of the run have failed. Counts once in 15 s at most, and never rejects. */
  async sawFailures(of: JobRun, now: number): Promise<void> {
    if (now - (this.#countedAt.get(runName(of)) ?? Number.NEGATIVE_INFINITY) < COUNT_EVERY_MS) return;
    this.#countedAt.set(runName(of), now);
    // The images are settled already; the next failure gives the next chance.
    await this.#cancelIfTooMany(of).catch(() => undefined);
  }

  async #cancelIfTooMany(of: JobRun): Promise<void> {
    const name = runName(of);
    if (!this.#limits.has(name)) this.#limits.set(name, await this.#limitOf(of));
    const limit = this.#limits.get(name);
    if (limit === undefined) return;
    const failed = totalLines(await listParts(this.#bucket, 'failures', of));
    const outcomes = failed + totalLines(await listParts(this.#bucket, 'results', of));
    if (outcomes < MIN_OUTCOMES_FOR_FAILURE_RATE || failed <= limit * outcomes) return;
    await cancelJob(this.#bucket, of, `${failed} of ${outcomes} images failed, more than the share of ${limit}`);
  }

  /** What the job was told holds for its newest run alone. */
  async #limitOf({ job, run }: JobRun): Promise<number | undefined> {
    const description = await readJob(this.#bucket, job);
    return description?.run === run ? description?.maxFailureRate : undefined;
  }
}
