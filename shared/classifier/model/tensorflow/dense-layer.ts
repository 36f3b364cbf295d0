import type { ModelHead } from '../model-head.ts';
import { scoresOf, tf } from './tfjs-node.ts';

/** The last layer of a model, ready to compute. */
export type DenseLayer = {
  /**
   * The scores of images, a score for each label, image by image. Blocks the thread.
   *
   * @param features of images, one after the other
   * @throws when a score is not a finite number
   */
  scores(features: Float32Array): Float32Array;
  dispose(): void;
};

/** Builds the last layer of a model from its weights. */
export function createDenseLayer({ kernel, bias, length, activations }: ModelHead): DenseLayer {
  const weights = tf.tensor2d(kernel, [length, bias.length]);
  const offsets = tf.tensor1d(bias);
  return {
    scores(features) {
      const scores = tf.tidy(() => {
        const rows = tf.tensor2d(features, [features.length / length, length]);
        const sums: tf.Tensor = rows.matMul<tf.Tensor2D>(weights).add(offsets);
        return activations.reduce((values, activation) => tf[activation](values), sums);
      });
      // Not within tidy: it would look for tensors in each number that it returns.
      try {
        return scoresOf(scores);
      } finally {
        scores.dispose();
      }
    },
    dispose: () => tf.dispose([weights, offsets]),
  };
}
