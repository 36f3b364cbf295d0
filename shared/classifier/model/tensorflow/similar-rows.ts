import { tf } from './tfjs-node.ts';

/** Rows per block that are compared with all later rows: a block of cosines takes 4 bytes per pair. */
const BLOCK = 256;

/** Rows of `length` numbers each, and the rows that they are compared with: the same rows, or others in the same order. */
export type ComparedRows = { rows: Float32Array; others?: Float32Array; length: number };

/**
 * Finds similar rows: each pair whose cosine is at least `least`, ordered by the first and then the second row. Blocks the thread: 10,000 rows of 1,280 numbers take a few seconds.
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

/** Normalizes rows to length 1; rows of zeros stay unchanged. */
function directionsOf(rows: Float32Array, length: number): tf.Tensor2D {
  return tf.tidy(() => {
    const all = tf.tensor2d(rows, [rows.length / length, length]);
    return all.div<tf.Tensor2D>(all.norm('euclidean', 1, true).maximum(SMALLEST));
  });
}

/** The minimum norm: the direction of shorter rows is meaningless. */
const SMALLEST = 1e-6;
