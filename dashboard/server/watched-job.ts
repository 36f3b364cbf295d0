import type { JobDescription } from '../../shared/contract/job-description.ts';
import { type JobRun, runField } from '../../shared/contract/job-run.ts';
import { type JobStatus, jobStatus, type StatusOptions } from '../../shared/jobs/job-status.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import type { CountedPart } from '../../shared/jobs/part-walk.ts';
import type { JobRow } from '../contract/jobs.ts';
import { JobFiles } from './job-files.ts';
import { jobRow } from './job-rows.ts';

/** Time limit for reading ids, and for listing a job with too many files to track. */
const LOOK_MS = 2_000;

/** Shared by all jobs of a poll. */
export type LookContext = Required<Pick<StatusOptions, 'queue' | 'cancelled'>> & { now: Date };

/** A job with its last known state, which can be polled again. */
export class WatchedJob {
  readonly job: string;
  readonly #target: JobTarget;
  #description: JobDescription | undefined;
  /** Undefined for a job of too many files. */
  #files: JobFiles | undefined;
  #filesOf: string | undefined;
  #isTooLarge = false;
  #counter: OutcomeCounter | undefined;
  #status: JobStatus | undefined;
  #row: JobRow | undefined;
  /** Why the last poll of this job failed, if only this job is affected. */
  failure: string | undefined;
  /** Time of the last poll; 0 for never. */
  lookedAt = 0;

  constructor(target: JobTarget, job: string) {
    this.#target = target;
    this.job = job;
  }

  get description(): JobDescription | undefined {
    return this.#description;
  }

  get status(): JobStatus | undefined {
    return this.#status;
  }

  /** Undefined before the first poll, and for a missing job. */
  get row(): JobRow | undefined {
    return this.#row;
  }

  get of(): JobRun {
    return { job: this.job, ...runField(this.#description?.run) };
  }

  /** The files that count, if they are tracked. */
  get counted(): readonly CountedPart[] {
    return this.#files?.counted ?? [];
  }

  /** All files; undefined if they are not tracked. */
  get files(): JobFiles | undefined {
    return this.#files;
  }

  /** Keeps the figures; the files are listed again at the next poll. */
  forgetFiles(): void {
    this.#files = undefined;
  }

  async look({ queue, cancelled, now }: LookContext): Promise<void> {
    this.lookedAt = now.getTime();
    const description = await readJob(this.#target, this.job);
    this.#description = description;
    await this.#lookAtFiles();
    const tally = this.#files?.tally;
    this.#counter ??= new OutcomeCounter(this.#target);
    const status = await jobStatus(this.#target, this.job, now, {
      counter: this.#counter,
      signal: AbortSignal.timeout(LOOK_MS),
      queue,
      cancelled,
      ...(tally !== undefined && { known: { description, tally } }),
    });
    this.#status = status;
    const lastOutcomeAt = lastWritten(this.counted) ?? this.#row?.lastOutcomeAt ?? null;
    this.#row = status && jobRow({ status, description, lastOutcomeAt });
    // The counter holds ids in memory.
    if (this.#row?.hasEnded) this.#counter = undefined;
  }

  async #lookAtFiles(): Promise<void> {
    const of = this.of;
    const name = of.run ?? '';
    if (this.#filesOf !== name) {
      this.#filesOf = name;
      this.#isTooLarge = false;
      this.#files = undefined;
      this.#counter = undefined;
    }
    if (this.#isTooLarge) return;
    const files = this.#files ?? new JobFiles(this.#target, of);
    this.#isTooLarge = !(await files.look());
    this.#files = this.#isTooLarge ? undefined : files;
  }
}

function lastWritten(counted: readonly CountedPart[]): number | null {
  let last = 0;
  for (const { part } of counted) last = Math.max(last, part.writtenAt.getTime());
  return last === 0 ? null : last;
}
