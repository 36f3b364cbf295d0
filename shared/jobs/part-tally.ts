import { addSums } from '../contract/id-sum.ts';
import type { JobRun } from '../contract/job-run.ts';
import type { JobTarget } from './job-target.ts';
import type { Part } from './list-parts.ts';
import { MeasuredTime } from './measured-time.ts';
import { Pace } from './pace.ts';
import { type CountedPart, type PartWalk, partsInTurn, walkOf, walkParts } from './part-walk.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** Part files that a tally keeps, so that a small job is listed once: some megabytes. */
const MAX_KEPT = 10_000;

/** The sums over the names of the part files of one kind. */
export class KindTally {
  parts = 0;
  lines = 0;
  /** Lines by error code; empty for results. */
  readonly codes = new Map<string, number>();
  #sum = 0n;
  #hasAllSums = true;
  /** Changes with each file that is written, replaced or removed. */
  #version = 0n;

  /** The sum of ids; undefined when files of earlier versions have none in their names. */
  get idSum(): string | undefined {
    return this.#hasAllSums ? addSums([this.#sum.toString(16)]) : undefined;
  }

  get version(): string {
    return `${this.parts} ${this.#version}`;
  }

  add({ digest, lines, codes, idSum, writtenAt }: Part): void {
    this.parts++;
    this.lines += lines;
    for (const [code, count] of codes) this.codes.set(code, (this.codes.get(code) ?? 0) + count);
    if (idSum === undefined) this.#hasAllSums = false;
    else this.#sum += BigInt(`0x${idSum}`);
    this.#version += BigInt(`0x${digest}`) * BigInt(writtenAt.getTime());
  }
}

/** The sums over the names of a run's part files, in bounded memory. */
export class PartTally {
  readonly results = new KindTally();
  readonly failures = new KindTally();
  readonly pace = new Pace();
  /** Of all files that were reached, including those that no longer count. */
  readonly time = new MeasuredTime();
  readonly #walk: PartWalk;
  #kept: CountedPart[] | undefined = [];
  /** The share of the files that was counted, in (0, 1]. */
  share = 1;

  private constructor(walk: PartWalk) {
    this.#walk = walk;
  }

  /** @param signal ends the listing; the tally then covers a random sample of the files */
  static async of(bucket: Bucket, of: JobRun, signal?: AbortSignal): Promise<PartTally> {
    const tally = new PartTally(walkOf(bucket, of));
    tally.share = await walkParts(
      { ...tally.#walk, onReached: (part) => tally.time.add(part) },
      (counted) => tally.#add(counted),
      signal,
    );
    return tally;
  }

  /**
   * For callers that have listed the files already.
   *
   * @param reached all files, including those that no longer count
   * @param counted the files that count; they are kept
   */
  static ofKnown(bucket: Bucket, of: JobRun, reached: Iterable<Part>, counted: CountedPart[]): PartTally {
    const tally = new PartTally(walkOf(bucket, of));
    for (const part of reached) tally.time.add(part);
    tally.#kept = undefined;
    for (const one of counted) tally.#add(one);
    tally.#kept = counted;
    return tally;
  }

  get isWhole(): boolean {
    return this.share === 1;
  }

  get parts(): number {
    return this.results.parts + this.failures.parts;
  }

  get lines(): number {
    return this.results.lines + this.failures.lines;
  }

  /** Changes with the files. */
  get version(): string {
    return `${this.results.version} ${this.failures.version}`;
  }

  /** Iterates again over the files that count; lists them again if they were too many to keep. */
  async again(take: (counted: CountedPart) => void): Promise<void> {
    if (this.#kept === undefined) await walkParts(this.#walk, take);
    else for (const counted of this.#kept) take(counted);
  }

  /** As `again`, for a consumer that is slower than a listing. */
  async *inTurn(): AsyncGenerator<CountedPart> {
    if (this.#kept === undefined) yield* partsInTurn(this.#walk);
    else yield* this.#kept;
  }

  #add(counted: CountedPart): void {
    const { kind, part } = counted;
    this[kind].add(part);
    this.pace.add(part);
    if (this.#kept !== undefined && this.#kept.length < MAX_KEPT) this.#kept.push(counted);
    else this.#kept = undefined;
  }
}
