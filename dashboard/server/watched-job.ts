import type { JobDescription } from '../../shared/contract/job-description.ts';
import { type JobRun, runField } from '../../shared/contract/job-run.ts';
import { type JobStatus, jobStatus, type StatusOptions } from '../../shared/jobs/job-status.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import type { CountedPart } from '../../shared/jobs/part-walk.ts';
import type { JobRow } from '../contract.ts';
import { JobFiles } from './job-files.ts';
import { jobRow } from './job-rows.ts';

/** How long a look may read ids, and list the files of a job that has too many to be kept. */
const LOOK_MS = 2_000;

/** What is the same for all jobs of a look. */
export type LookContext = Required<Pick<StatusOptions, 'queue' | 'cancelled'>> & { now: Date };

/** A job, what is known of it, and how it is looked at again. */
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
  /** Why the last look has failed, if it is about this job alone. */
  failure: string | undefined;
  /** When it was looked at last; 0 for never. */
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

  /** Undefined before the first look, and of a job that is not there. */
  get row(): JobRow | undefined {
    return this.#row;
  }

  get of(): JobRun {
    return { job: this.job, ...runField(this.#description?.run) };
  }

  /** The files that count, where they are kept. */
  get counted(): readonly CountedPart[] {
    return this.#files?.counted ?? [];
  }

  /** All of them; undefined where they are not kept. */
  get files(): JobFiles | undefined {
    return this.#files;
  }

  /** Its figures stay; its files are listed again at the next look. */
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
    // It holds the ids that it has read.
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
