import { scoresOf, tf } from './tfjs-node.ts';

/**
 * The dot product of each row of one matrix with each row of another: a row for each of `rows`. Blocks the thread.
 *
 * @param length numbers in a row
 */
export function dotProducts(rows: Float32Array, others: Float32Array, length: number): Float32Array {
  const products = tf.tidy(() => {
    const left = tf.tensor2d(rows, [rows.length / length, length]);
    const right = tf.tensor2d(others, [others.length / length, length]);
    return tf.matMul(left, right, false, true);
  });
  try {
    return scoresOf(products);
  } finally {
    products.dispose();
  }
}
