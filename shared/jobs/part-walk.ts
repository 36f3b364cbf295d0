import pMap from 'p-map';
import type { JobRun } from '../contract/job-run.ts';
import type { PartKind } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';
import { latestOf, type Part, type PartPage, type PartRange, partPages } from './list-parts.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** A part file that counts. */
export type CountedPart = { kind: PartKind; part: Part };

/** The part files of a run that count; a walk can be repeated. */
export type PartWalk = {
  bucket: Bucket;
  of: JobRun;
  /** Both, for the counts of a job. */
  kinds: readonly PartKind[];
  /** Called with each file that was reached, whether it counts or not. */
  onReached?: (part: Part) => void;
};

const BOTH: readonly PartKind[] = ['failures', 'results'];

/** Digests are evenly distributed, so their first digit splits a listing into sixteen of the same size. */
const SECTIONS = [...'0123456789abcdef'];
/** This many sequential requests are as fast as sixteen additional concurrent ones. */
const PAGES_IN_SEQUENCE = 4;
/** Hexadecimal digits of a digest that fit into a number exactly. */
const REACH_DIGITS = 13;

/** A walk over all part files of a run. */
export function walkOf(bucket: Bucket, of: JobRun, kinds = BOTH): PartWalk {
  return { bucket, of, kinds };
}

/**
 * Lists the part files that count: of several files with lines of the same images the latest, and no failure file with exactly
 * the images of a result file, since each of them has a result now. A request per 1,000 files: sequential for few files, in
 * sixteen concurrent sections for many. At most a page per section and kind is in memory.
 *
 * @param take called in the order of digests within a section; sections are interleaved
 * @param signal ends the walk, but not before the first page of each kind
 * @returns the share of all digests that was reached: 1 for all, and always above 0. Digests are evenly distributed, so what
 *   was taken is about this share of the whole
 */
export async function walkParts(
  walk: PartWalk,
  take: (counted: CountedPart) => void,
  signal?: AbortSignal,
): Promise<number> {
  const merged = mergedParts(cursors(walk));
  const { counted, upTo }: Merged = (await merged.next()).value;
  for (const one of counted) take(one);
  if (upTo === undefined) return 1;
  const share = reachOf(upTo);
  const isSoonDone = share * PAGES_IN_SEQUENCE >= 1;
  const rest = isSoonDone ? [{ start: share, end: 1, merged }] : sectionsAfter(walk, upTo, signal);
  const shares = await pMap(rest, (section) => walkSection(section, take, signal), { concurrency: rest.length });
  return shares.every((one) => one.isWhole) ? 1 : share + shares.reduce((sum, one) => sum + one.share, 0);
}

/** As `walkParts`, in sequence, for a consumer that is slower than a listing. */
export async function* partsInTurn(walk: PartWalk): AsyncGenerator<CountedPart> {
  for await (const { counted } of mergedParts(cursors(walk))) yield* counted;
}

/** Parts with digests from `start` to `end`, both between 0 and 1. */
type Section = { start: number; end: number; merged: AsyncGenerator<Merged> };

function sectionsAfter(walk: PartWalk, after: string, signal: AbortSignal | undefined): Section[] {
  const first = Number.parseInt(after.slice(0, 1), 16);
  return SECTIONS.slice(first).map((digits, index) => {
    const start = index === 0 ? reachOf(after) : (first + index) / SECTIONS.length;
    const range = { digits, signal, ...(index === 0 && { after }) };
    return { start, end: (first + index + 1) / SECTIONS.length, merged: mergedParts(cursors(walk, range)) };
  });
}

function cursors({ bucket, of, kinds, onReached }: PartWalk, range?: PartRange): PartCursor[] {
  return kinds.map((kind) => new PartCursor(kind, partPages(bucket, kind, of, range), onReached));
}

/** @returns the share of all digests that was reached in it */
async function walkSection(
  { start, end, merged }: Section,
  take: (counted: CountedPart) => void,
  signal: AbortSignal | undefined,
): Promise<{ share: number; isWhole: boolean }> {
  let reached = start;
  try {
    for await (const { counted, upTo } of merged) {
      for (const one of counted) take(one);
      if (upTo === undefined) return { share: end - start, isWhole: true };
      reached = reachOf(upTo);
      if (signal?.aborted) break;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return { share: reached - start, isWhole: false };
}

/** The position of a digest between 0 and 1. */
function reachOf(digest: string): number {
  return Number.parseInt(digest.slice(0, REACH_DIGITS), 16) / 16 ** REACH_DIGITS;
}

/** What was merged without another request, and up to which digest; undefined at the end. */
type Merged = { counted: CountedPart[]; upTo: string | undefined };

/** The parts of one or both kinds in the order of their digests. */
async function* mergedParts(ofKinds: readonly PartCursor[]): AsyncGenerator<Merged> {
  for (;;) {
    await Promise.all(ofKinds.map((cursor) => cursor.fill()));
    const counted: CountedPart[] = [];
    let upTo = '';
    while (ofKinds.every((cursor) => cursor.isReady)) {
      const digest = lowestDigest(ofKinds);
      if (digest === undefined) {
        yield { counted, upTo: undefined };
        return;
      }
      upTo = digest;
      counted.push(...whatCounts(ofKinds, digest));
    }
    yield { counted, upTo };
  }
}

function lowestDigest(ofKinds: readonly PartCursor[]): string | undefined {
  let lowest: string | undefined;
  for (const { digest } of ofKinds)
    if (digest !== undefined && (lowest === undefined || digest < lowest)) lowest = digest;
  return lowest;
}

function whatCounts(ofKinds: readonly PartCursor[], digest: string): CountedPart[] {
  const found: CountedPart[] = [];
  for (const cursor of ofKinds) {
    if (cursor.digest === digest) found.push({ kind: cursor.kind, part: cursor.takeLatest() });
  }
  return found.length > 1 ? found.filter(({ kind }) => kind === 'results') : found;
}

/** Iterates over the pages of one kind; parts with the same digest are always available together. */
class PartCursor {
  readonly kind: PartKind;
  readonly #pages: AsyncGenerator<PartPage>;
  readonly #onReached: (part: Part) => void;
  #parts: Part[] = [];
  #at = 0;
  #isLast = false;

  constructor(kind: PartKind, pages: AsyncGenerator<PartPage>, onReached: (part: Part) => void = () => {}) {
    this.kind = kind;
    this.#pages = pages;
    this.#onReached = onReached;
  }

  /** The digest of the next part; undefined when none is available. */
  get digest(): string | undefined {
    return this.#parts[this.#at]?.digest;
  }

  /** Whether all parts with the next digest are available, or there are no more parts. */
  get isReady(): boolean {
    return this.#isLast || (this.#at < this.#parts.length && this.digest !== this.#parts.at(-1)?.digest);
  }

  /** Requests pages until it is ready. */
  async fill(): Promise<void> {
    while (!this.isReady) {
      const { value, done = false } = await this.#pages.next();
      this.#parts = [...this.#parts.slice(this.#at), ...(done ? [] : value.parts)];
      this.#at = 0;
      this.#isLast = done || value.isLast;
    }
  }

  /** Takes the parts with the next digest. @returns the latest of them */
  takeLatest(): Part {
    const start = this.#at;
    const { digest } = this;
    while (this.digest === digest) this.#at++;
    const same = this.#parts.slice(start, this.#at);
    for (const part of same) this.#onReached(part);
    return latestOf(same);
  }
}
