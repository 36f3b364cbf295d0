import type { JobRun } from '../contract/job-run.ts';
import type { PartKind } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';
import { type PartPage, partPages } from './list-parts.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** Pages per kind: beyond this, a whole listing is not more expensive. */
const MAX_PAGES = 10;
/** A complete run is considered incomplete with a probability of 3e-7. */
const STANDARD_DEVIATIONS = 5;
/** Hexadecimal digits of a digest that fit into a number exactly. */
const DIGITS = 13;

/**
 * Whether a run has fewer lines than images, and so cannot be complete. Listings are in the order of digests, which are
 * random: the first pages are a sample of all files. They are read only until they prove it, so a run far from its end costs
 * two requests whatever its size. `false` only means that a full count is necessary.
 */
export async function lacksOutcomes(bucket: Bucket, of: JobRun, images: number): Promise<boolean> {
  const kinds = (['results', 'failures'] as const).map((kind) => new KindSample(bucket, kind, of));
  for (let page = 1; page <= MAX_PAGES; page++) {
    await Promise.all(kinds.map((kind) => kind.readOn()));
    if (kinds.reduce((sum, { maxLines }) => sum + maxLines, 0) < images) return true;
    if (kinds.every(({ isWhole }) => isWhole)) return false;
  }
  return false;
}

/** An estimate for all files of a kind, from those that were listed so far. */
class KindSample {
  readonly #pages: AsyncGenerator<PartPage>;
  #lines = 0;
  #squares = 0;
  #lastDigest = '';
  #linesOfLast = 0;
  isWhole = false;

  constructor(bucket: Bucket, kind: PartKind, of: JobRun) {
    this.#pages = partPages(bucket, kind, of);
  }

  async readOn(): Promise<void> {
    if (this.isWhole) return;
    const { value, done = false } = await this.#pages.next();
    if (!done) for (const part of value.parts) this.#add(part);
    this.isWhole = done || value.isLast;
  }

  /** An upper bound of the number of lines: a count, or the upper end of an estimate. */
  get maxLines(): number {
    if (this.isWhole) return this.#lines;
    const reach = Number.parseInt(this.#lastDigest.slice(0, DIGITS), 16) / 16 ** DIGITS;
    const relativeDeviation = Math.sqrt(this.#squares) / this.#lines;
    return (this.#lines / reach) * (1 + STANDARD_DEVIATIONS * relativeDeviation);
  }

  /** Files with lines of the same images follow each other: only one of them counts. */
  #add({ digest, lines }: { digest: string; lines: number }): void {
    const more = digest === this.#lastDigest ? Math.max(0, lines - this.#linesOfLast) : lines;
    this.#lines += more;
    this.#squares += more ** 2;
    this.#linesOfLast = digest === this.#lastDigest ? Math.max(lines, this.#linesOfLast) : lines;
    this.#lastDigest = digest;
  }
}
