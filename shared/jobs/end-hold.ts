import type { JobRun } from '../contract/job-run.ts';
import { END_HOLD_MS } from '../contract/limits.ts';
import { requestEndLookIfAnnounced } from './end-look.ts';
import { type EndRecord, type ReadEndRecord, readEndRecord, replaceEndRecord } from './end-record.ts';
import type { JobTarget } from './job-target.ts';

/** Conflicts are rare: a look writes once when a run has ended, and once when that was announced. */
const ATTEMPTS = 5;

/**
 * Prevents the end of a run from being announced during a redrive: between two batches the run may look complete. A run that
 * has already ended continues as the next generation, and ends again.
 */
export class EndHold {
  readonly #target: JobTarget;
  readonly #of: JobRun;
  readonly #before: EndRecord | undefined;
  #generation: number;
  /** Another redrive holds the end too, or did so within the last minute. */
  #isShared: boolean;
  #etag: string | undefined;
  #renewing: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  private constructor(target: JobTarget, of: JobRun, { record, etag }: ReadEndRecord) {
    this.#target = target;
    this.#of = of;
    this.#before = record;
    this.#etag = etag;
    this.#generation = nextGeneration(record);
    this.#isShared = isHeld(record);
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#renew()).catch(() => undefined);
    }, END_HOLD_MS / 3).unref();
  }

  /** @returns undefined where the end of this run is not announced, so there is nothing to hold */
  static async take(target: JobTarget, of: JobRun): Promise<EndHold | undefined> {
    if (of.run === undefined) return undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const read = await readEndRecord(target, of);
      if (read.record === undefined && target.jobEndQueueUrl === undefined) return undefined;
      const open = openRecord(nextGeneration(read.record), Date.now() + END_HOLD_MS);
      const etag = await replaceEndRecord(target, of, open, read.etag);
      if (etag !== undefined) return new EndHold(target, of, { record: read.record, etag });
    }
    throw new Error(`the record of the end of ${of.job} was replaced ${ATTEMPTS} times by other writers`);
  }

  /**
   * A hold that is shared with another redrive is left to expire, since neither knows which ends last.
   *
   * @param goesOn whether anything was sent; otherwise an end that was announced before stays valid
   */
  async release(goesOn: boolean): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    if (!goesOn && this.#before?.state === 'ended') {
      if (!this.#isShared) await replaceEndRecord(this.#target, this.#of, this.#before, this.#etag);
      return;
    }
    for (let attempt = 1; attempt <= ATTEMPTS && !this.#isShared; attempt++) {
      if ((await this.#write(0)) || !(await this.#takeOver())) break;
    }
    await requestEndLookIfAnnounced(this.#target, this.#of);
  }

  async #renew(): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if ((await this.#write(Date.now() + END_HOLD_MS)) || !(await this.#takeOver())) return;
    }
  }

  /** @returns false when another writer came first */
  async #write(heldUntil: number): Promise<boolean> {
    const record = openRecord(this.#generation, heldUntil);
    const etag = await replaceEndRecord(this.#target, this.#of, record, this.#etag);
    this.#etag = etag ?? this.#etag;
    return etag !== undefined;
  }

  /**
   * Continues from the record of another writer.
   *
   * @returns false when the record was removed: it is not created again
   */
  async #takeOver(): Promise<boolean> {
    const { record, etag } = await readEndRecord(this.#target, this.#of);
    if (record === undefined) return false;
    this.#isShared ||= isHeld(record);
    this.#generation = nextGeneration(record);
    this.#etag = etag;
    return true;
  }
}

/** Reopens a run that ended before its producer had sent all of its images. */
export async function reopenEnd(target: Pick<JobTarget, 's3' | 'resultsBucket'>, of: JobRun): Promise<void> {
  const { record, etag } = await readEndRecord(target, of);
  if (record?.state === 'ended') await replaceEndRecord(target, of, openRecord(nextGeneration(record), 0), etag);
}

function nextGeneration(record: EndRecord | undefined): number {
  if (record === undefined) return 0;
  return record.generation + (record.state === 'ended' ? 1 : 0);
}

function isHeld(record: EndRecord | undefined): boolean {
  return record?.state === 'open' && record.heldUntil > Date.now();
}

function openRecord(generation: number, heldUntil: number): EndRecord {
  return { v: 1, state: 'open', generation, heldUntil };
}
