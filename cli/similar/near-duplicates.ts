import { dotProducts } from '../../shared/classifier/model/tensorflow/dot-products.ts';
import type { EmbeddedLine } from '../embeddings/embedded-lines.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { Best } from './best.ts';
import { vectorLength } from './cosine.ts';
import { type SimilarImage, similarImage } from './similar-image.ts';

/** Maximum number of images: all pairs take 256 MB and 1,250,000,000 comparisons. */
export const MAX_IMAGES_FOR_PAIRS = 50_000;
/** Images whose embeddings are multiplied at once: 4 MB of scores. */
const BLOCK = 1_024;

export type Pair = { one: SimilarImage; other: SimilarImage };
export type Pairs = { pairs: readonly { score: number; item: Pair }[]; found: number };

/** Finds the most similar pairs of images, by comparing all pairs. */
export class NearDuplicates {
  readonly #images: SimilarImage[] = [];
  readonly #ids = new Set<string>();
  /** Rows of length 1, so that a product is a cosine. */
  readonly #blocks: Float32Array[] = [];
  #length = 0;

  /** @throws {CommandError} when there are more than `MAX_IMAGES_FOR_PAIRS` */
  add(line: EmbeddedLine, values: Float32Array): void {
    if (this.#ids.has(line.id)) return;
    this.#ids.add(line.id);
    const row = this.#images.push(similarImage(line)) - 1;
    if (row === MAX_IMAGES_FOR_PAIRS) throw tooMany(line.job);
    this.#length = values.length;
    if (row % BLOCK === 0) this.#blocks.push(new Float32Array(BLOCK * values.length));
    const scale = 1 / (vectorLength(values) || 1);
    this.#blocks.at(-1)?.set(
      values.map((value) => value * scale),
      (row % BLOCK) * values.length,
    );
  }

  /**
   * The pairs with at least this score, the best first.
   *
   * @param most pairs that are kept; all are counted
   * @param onProgress called with the number of images that were compared with all others
   */
  pairs(minScore: number, most: number, onProgress: (images: number) => void): Pairs {
    const best = new Best<Pair>(most);
    let found = 0;
    for (let one = 0; one < this.#blocks.length; one++) {
      for (let other = one; other < this.#blocks.length; other++) found += this.#compare(one, other, minScore, best);
      onProgress(Math.min(this.#images.length, (one + 1) * BLOCK));
    }
    return { pairs: best.items(), found };
  }

  /** @returns how many pairs reach the score */
  #compare(one: number, other: number, minScore: number, best: Best<Pair>): number {
    const products = dotProducts(this.#block(one), this.#block(other), this.#length);
    const columns = this.#rowsIn(other);
    let found = 0;
    for (let row = 0; row < this.#rowsIn(one); row++) {
      for (let column = one === other ? row + 1 : 0; column < columns; column++) {
        const score = products[row * columns + column] as number;
        if (score < minScore) continue;
        found++;
        if (score > best.worst) best.add(Math.min(1, score), this.#pair(one * BLOCK + row, other * BLOCK + column));
      }
    }
    return found;
  }

  #pair(one: number, other: number): Pair {
    return { one: this.#images[one] as SimilarImage, other: this.#images[other] as SimilarImage };
  }

  #rowsIn(block: number): number {
    return Math.min(BLOCK, this.#images.length - block * BLOCK);
  }

  #block(block: number): Float32Array {
    return (this.#blocks[block] as Float32Array).subarray(0, this.#rowsIn(block) * this.#length);
  }
}

function tooMany(job: string): CommandError {
  return new CommandError(
    `${job} has more than ${MAX_IMAGES_FOR_PAIRS} images with an embedding, too many to compare all pairs: ` +
      'samples/queries.sql finds exact copies (duplicates-by-sha256), and `similar` takes one image at a time',
  );
}
