import type { JobDescription } from '../../shared/contract/job-description.ts';
import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { GUARD_COUNT_MS, GUARD_COUNT_PARTS, SHORTEST_GUARD_INTERVAL_MS } from '../../shared/contract/limits.ts';
import {
  type GuardRecord,
  type ReadGuardRecord,
  readGuardRecord,
  replaceGuardRecord,
} from '../../shared/jobs/guard-record.ts';
import { type CancelTarget, cancelJob, readJob } from '../../shared/jobs/job-store.ts';
import { PartSample } from '../../shared/jobs/sample-parts.ts';
import { judge } from './guard-verdict.ts';

/** How often all workers of a job together look whether a count is due, on average. */
const LOOK_EVERY_SECONDS = 2;
/** While their speed is not known. */
const LEAST_OUTCOMES_PER_LOOK = 50;
/** Longer than a count takes: a worker that dies in it holds up the others for so long. */
const LEASE_MS = 15_000;
/** A name may begin again as another job, with limits. */
const FORGET_UNLIMITED_MS = 10 * 60_000;

type Job = {
  description: JobDescription | undefined;
  readAt: number;
  /** Outcomes since the last look, and how many there have to be for the next. */
  outcomes: number;
  lookAfter: number;
  isLooking: boolean;
};

export type JobGuardOptions = {
  bucket: CancelTarget;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Uniform in [0, 1). */
  random?: () => number;
  /** Of each kind, for a count; a multiple of 1,000. */
  countedParts?: number;
};

/**
 * Cancels a job of which too much fails, or which would cost too much, if its producer asked for that. All workers of
 * a job share one record in S3, and the one that replaces it when a count is due is the one that counts. How often a
 * worker looks into the record depends on its share of the job's images: a thousand workers together look as often as
 * one alone. A count reads a bounded number of names, so it costs the same in a job of any size.
 */
export class JobGuard {
  readonly #bucket: JobGuardOptions['bucket'];
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #countedParts: number;
  readonly #jobs = new Map<string, Job>();
  readonly #looks = new Set<Promise<void>>();

  constructor({ bucket, now = Date.now, random = Math.random, countedParts = GUARD_COUNT_PARTS }: JobGuardOptions) {
    this.#bucket = bucket;
    this.#now = now;
    this.#random = random;
    this.#countedParts = countedParts;
  }

  /** So many images of the job have a durable outcome now. Waits for nothing: a look goes on beside the work. */
  settled(of: JobRun, outcomes: number): void {
    if (outcomes === 0) return;
    const job = this.#jobOf(runName(of));
    job.outcomes += outcomes;
    if (job.isLooking || job.outcomes < job.lookAfter) return;
    job.isLooking = true;
    // What is left out now is done at the next look.
    const look = this.#look(of, job)
      .catch(() => undefined)
      .finally(() => {
        job.isLooking = false;
        this.#looks.delete(look);
      });
    this.#looks.add(look);
  }

  /** Whether there is something to wait for before the process may be frozen. */
  get isBusy(): boolean {
    return this.#looks.size > 0;
  }

  /** Waits for looks that go on; not longer than so many milliseconds. Never rejects. */
  async finish(mostMs: number): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, Math.max(0, mostMs));
    await Promise.race([Promise.all(this.#looks), timeout.promise]);
    clearTimeout(timer);
  }

  #jobOf(name: string): Job {
    const known = this.#jobs.get(name);
    if (known !== undefined) return known;
    const job: Job = {
      description: undefined,
      readAt: Number.NEGATIVE_INFINITY,
      outcomes: 0,
      lookAfter: 0,
      isLooking: false,
    };
    this.#jobs.set(name, job);
    return job;
  }

  async #look(of: JobRun, job: Job): Promise<void> {
    job.outcomes = 0;
    const now = this.#now();
    if (now - job.readAt >= FORGET_UNLIMITED_MS) {
      job.readAt = now;
      job.description = await this.#describe(of);
    }
    if (!hasLimit(job.description)) return;
    const read = await readGuardRecord(this.#bucket, of);
    job.lookAfter = this.#outcomesUntilLook(read.record);
    if (read.record !== undefined && now < read.record.nextCountAt) return;
    await this.#count(of, job, read, now);
  }

  /** What the job was told holds for its newest run alone. */
  async #describe({ job, run }: JobRun): Promise<JobDescription | undefined> {
    const description = await readJob(this.#bucket, job);
    return description?.run === run ? description : undefined;
  }

  /** Exponentially distributed, so that looks are spread whatever the shares of the workers are. */
  #outcomesUntilLook(record: GuardRecord | undefined): number {
    const mean = Math.max(LEAST_OUTCOMES_PER_LOOK, (record?.imagesPerSecond ?? 0) * LOOK_EVERY_SECONDS);
    return -Math.log(1 - this.#random()) * mean;
  }

  async #count(of: JobRun, job: Job, { record, etag }: ReadGuardRecord, now: number): Promise<void> {
    const before = record ?? emptyRecord();
    const lease = await replaceGuardRecord(this.#bucket, of, { ...before, nextCountAt: now + LEASE_MS }, etag);
    if (lease === undefined) return;
    // Its limits and its number of images, as they are now: it may have been resumed.
    const description = job.readAt === now ? job.description : await this.#describe(of);
    if (!hasLimit(description)) return;
    const lines = await this.#linesOf(of);
    if (lines === undefined) return;
    const count = recordOf({ description, before, lines, now });
    const verdict = judge(description, count);
    if ('cancel' in verdict) return cancelJob(this.#bucket, of, verdict.cancel);
    // The first count does not know how fast the job is: it may have waited for workers.
    const againInMs = record === undefined ? SHORTEST_GUARD_INTERVAL_MS : verdict.againInMs;
    await replaceGuardRecord(this.#bucket, of, { ...count, nextCountAt: now + againInMs }, lease);
    job.lookAfter = this.#outcomesUntilLook(count);
  }

  /** Undefined when there was no time for as much as an estimate. */
  async #linesOf(of: JobRun): Promise<Lines | undefined> {
    const [results, failures] = [new PartSample(), new PartSample()];
    const signal = AbortSignal.timeout(GUARD_COUNT_MS);
    const read = Promise.all([
      results.read(this.#bucket, 'results', of, this.#countedParts, signal),
      failures.read(this.#bucket, 'failures', of, this.#countedParts, signal),
    ]);
    await Promise.race([read, aborted(signal)]);
    read.catch(() => undefined);
    if (!results.isUsable || !failures.isUsable) return undefined;
    const computingUsd = results.computingUsd + failures.computingUsd;
    return { classified: results.lines, failed: failures.lines, computingUsd };
  }
}

/** What a count has found, or estimated from a sample. */
type Lines = { classified: number; failed: number; computingUsd: number };
type Count = { description: JobDescription; before: GuardRecord; lines: Lines; now: number };

function recordOf({ description, before, lines, now }: Count): GuardRecord {
  const { classified, failed, computingUsd } = lines;
  const outcomes = classified + failed;
  const since = before.countedAt || Date.parse(description.startedAt);
  const imagesPerSecond = Math.max(0, outcomes - before.outcomes) / Math.max(1, (now - since) / 1_000);
  return { ...before, countedAt: now, outcomes, failed, imagesPerSecond, computingUsd };
}

function hasLimit(description: JobDescription | undefined): description is JobDescription {
  return description?.maxFailureRate !== undefined || description?.maxCostUsd !== undefined;
}

function emptyRecord(): GuardRecord {
  return {
    v: 1,
    nextCountAt: 0,
    countedAt: 0,
    outcomes: 0,
    failed: 0,
    imagesPerSecond: 0,
    computingUsd: 0,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
