import { tf } from './tfjs-node.ts';

/** Rows that are compared with all that follow at once: a block of cosines takes 4 bytes per pair. */
const BLOCK = 256;

/** Rows of `length` numbers each, and those that each of them is compared with: the rows themselves, or others in their order. */
export type ComparedRows = { rows: Float32Array; others?: Float32Array; length: number };

/**
 * Finds rows that point in nearly the same direction: each pair whose cosine is at least `least`, in the order of the first
 * and then of the second. Blocks the thread: 10,000 rows of 1,280 numbers take a few seconds.
 *
 * @param visit called with the indices of two rows, the lower one first, and their cosine
 */
export function eachSimilarPair(
  { rows, others = rows, length }: ComparedRows,
  least: number,
  visit: (one: number, other: number, cosine: number) => void,
): void {
  const count = rows.length / length;
  const first = directionsOf(rows, length);
  const second = others === rows ? first : directionsOf(others, length);
  for (let from = 0; from < count; from += BLOCK) {
    const height = Math.min(BLOCK, count - from);
    const width = count - from;
    const cosines = tf.tidy(() =>
      first
        .slice([from, 0], [height, length])
        .matMul(second.slice([from, 0], [width, length]), false, true)
        .dataSync(),
    );
    for (let row = 0; row < height; row++) {
      for (let column = row + 1; column < width; column++) {
        const cosine = cosines[row * width + column] as number;
        if (cosine >= least) visit(from + row, from + column, cosine);
      }
    }
  }
  tf.dispose([first, second]);
}

/** Of length 1; a row of zeros has no direction and stays. */
function directionsOf(rows: Float32Array, length: number): tf.Tensor2D {
  return tf.tidy(() => {
    const all = tf.tensor2d(rows, [rows.length / length, length]);
    return all.div<tf.Tensor2D>(all.norm('euclidean', 1, true).maximum(SMALLEST));
  });
}

/** Of a norm: a row that is shorter has hardly any direction. */
const SMALLEST = 1e-6;
