import { activate } from '../../shared/classifier/model/activation.ts';
import type { LastLayerWeights } from '../../shared/classifier/model/last-layer.ts';

/** Probabilities of the classes, from features and a last layer. */
export function probabilitiesOf(features: Float32Array, { kernel, bias }: LastLayerWeights): Float32Array {
  const classes = bias.length;
  const sums = Float64Array.from(bias);
  features.forEach((feature, row) => {
    // Many features are zero, because they follow a ReLU.
    if (feature === 0) return;
    for (let column = 0; column < classes; column++) {
      sums[column] = (sums[column] as number) + feature * (kernel[row * classes + column] as number);
    }
  });
  const scores = Float32Array.from(sums);
  activate(scores, classes, 'softmax');
  return scores;
}

/** The index of the largest. */
export function bestOf(scores: Float32Array): number {
  return scores.indexOf(scores.reduce((best, score) => Math.max(best, score), Number.NEGATIVE_INFINITY));
}
