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

  /** To be called when images of the job have failed. Counts once in 15 s at most, and never rejects. */
  async sawFailures(job: string, now: number): Promise<void> {
    if (now - (this.#countedAt.get(job) ?? Number.NEGATIVE_INFINITY) < COUNT_EVERY_MS) return;
    this.#countedAt.set(job, now);
    // The images are settled already; the next failure gives the next chance.
    await this.#cancelIfTooMany(job).catch(() => undefined);
  }

  async #cancelIfTooMany(job: string): Promise<void> {
    if (!this.#limits.has(job)) this.#limits.set(job, (await readJob(this.#bucket, job))?.maxFailureRate);
    const limit = this.#limits.get(job);
    if (limit === undefined) return;
    const failed = totalLines(await listParts(this.#bucket, 'failures', job));
    const outcomes = failed + totalLines(await listParts(this.#bucket, 'results', job));
    if (outcomes < MIN_OUTCOMES_FOR_FAILURE_RATE || failed <= limit * outcomes) return;
    await cancelJob(this.#bucket, job, `${failed} of ${outcomes} images failed, more than the share of ${limit}`);
  }
}
