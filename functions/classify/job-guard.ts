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

/** How often all workers of a job together check whether a count is due, on average. */
const LOOK_EVERY_SECONDS = 2;
/** Until their speed is known. */
const MIN_OUTCOMES_PER_LOOK = 50;
/** Longer than a count takes: a worker that crashes during a count delays the others this long. */
const LEASE_MS = 15_000;
/** A name may be used again by another job, with limits. */
const FORGET_UNLIMITED_MS = 10 * 60_000;

type Job = {
  description: JobDescription | undefined;
  readAt: number;
  /** Outcomes since the last look, and how many trigger the next one. */
  outcomes: number;
  lookAfter: number;
  isLooking: boolean;
};

/** What the guard reads and writes, and how much of it. */
export type JobGuardOptions = {
  bucket: CancelTarget;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Uniform in [0, 1). */
  random?: () => number;
  /** Part files of each kind per count; a multiple of 1,000. */
  countedParts?: number;
};

/**
 * Cancels a job that exceeds its failure rate or its cost limit, if its producer set them. All workers of a job share one
 * record in S3; the worker that replaces it when a count is due does the count. How often a worker reads the record depends
 * on its share of the job's images: a thousand workers together read it as often as a single one. A count lists a bounded
 * number of part files, so its cost does not depend on the size of the job.
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

  /** Adds images of the job that have a durable outcome now. Does not wait: a look runs in the background. */
  settled(of: JobRun, outcomes: number): void {
    if (outcomes === 0) return;
    const job = this.#jobOf(runName(of));
    job.outcomes += outcomes;
    if (job.isLooking || job.outcomes < job.lookAfter) return;
    job.isLooking = true;
    // A look that fails is made up for by the next one.
    const look = this.#look(of, job)
      .catch(() => undefined)
      .finally(() => {
        job.isLooking = false;
        this.#looks.delete(look);
      });
    this.#looks.add(look);
  }

  /** Whether a look is running, which should finish before the process is frozen. */
  get isBusy(): boolean {
    return this.#looks.size > 0;
  }

  /** Waits for running looks, at most this many milliseconds. Never rejects. */
  async finish(maxMs: number): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, Math.max(0, maxMs));
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

  /** The limits in `job.json` apply to the newest run only. */
  async #describe({ job, run }: JobRun): Promise<JobDescription | undefined> {
    const description = await readJob(this.#bucket, job);
    return description?.run === run ? description : undefined;
  }

  /** Exponentially distributed, so that looks are spread evenly however the images are shared among workers. */
  #outcomesUntilLook(record: GuardRecord | undefined): number {
    const mean = Math.max(MIN_OUTCOMES_PER_LOOK, (record?.imagesPerSecond ?? 0) * LOOK_EVERY_SECONDS);
    return -Math.log(1 - this.#random()) * mean;
  }

  async #count(of: JobRun, job: Job, { record, etag }: ReadGuardRecord, now: number): Promise<void> {
    const before = record ?? emptyRecord();
    const lease = await replaceGuardRecord(this.#bucket, of, { ...before, nextCountAt: now + LEASE_MS }, etag);
    if (lease === undefined) return;
    // Reads the current limits and number of images: the job may have been resumed.
    const description = job.readAt === now ? job.description : await this.#describe(of);
    if (!hasLimit(description)) return;
    const lines = await this.#linesOf(of);
    if (lines === undefined) return;
    const count = recordOf({ description, before, lines, now });
    const verdict = judge(description, count);
    if ('cancel' in verdict) return cancelJob(this.#bucket, of, verdict.cancel);
    // The first count cannot know the job's speed: the job may have waited for workers.
    const againInMs = record === undefined ? SHORTEST_GUARD_INTERVAL_MS : verdict.againInMs;
    await replaceGuardRecord(this.#bucket, of, { ...count, nextCountAt: now + againInMs }, lease);
    job.lookAfter = this.#outcomesUntilLook(count);
  }

  /** Undefined when there was not enough time for an estimate. */
  async #linesOf(of: JobRun): Promise<Lines | undefined> {
    const [results, failures] = [new PartSample(), new PartSample()];
    const signal = AbortSignal.timeout(GUARD_COUNT_MS);
    const maxParts = this.#countedParts;
    const read = Promise.all([
      results.read(this.#bucket, { kind: 'results', of, maxParts, signal }),
      failures.read(this.#bucket, { kind: 'failures', of, maxParts, signal }),
    ]);
    await Promise.race([read, aborted(signal)]);
    read.catch(() => undefined);
    if (!results.isUsable || !failures.isUsable) return undefined;
    const computingUsd = results.computingUsd + failures.computingUsd;
    return { classified: results.lines, failed: failures.lines, computingUsd };
  }
}

/** The result of a count, or an estimate from a sample. */
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
