import type { ClassifierConfig } from './classifier-config.ts';

/**
 * Turns scores into probabilities, in place.
 *
 * @param scores of a batch, `classes` per row
 */
export function activate(scores: Float32Array, classes: number, activation: ClassifierConfig['activation']): void {
  if (activation === 'none') return;
  for (let start = 0; start < scores.length; start += classes) {
    const row = scores.subarray(start, start + classes);
    if (activation === 'softmax') softmax(row);
    else sigmoid(row);
  }
}

/** The largest score is subtracted first: exponentials of large numbers would overflow. */
function softmax(row: Float32Array): void {
  const largest = row.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let at = 0; at < row.length; at++) {
    row[at] = Math.exp((row[at] as number) - largest);
    sum += row[at] as number;
  }
  for (let at = 0; at < row.length; at++) row[at] = (row[at] as number) / sum;
}

function sigmoid(row: Float32Array): void {
  for (let at = 0; at < row.length; at++) row[at] = 1 / (1 + Math.exp(-(row[at] as number)));
}
