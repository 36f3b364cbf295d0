import type { ModelHead } from '../model-head.ts';
import { scoresOf, tf } from './tfjs-node.ts';

/** The last layer of a model, ready to compute. */
export type DenseLayer = {
  /**
   * The scores of images, one per label, image by image. Blocks the thread.
   *
   * @param features of images, concatenated
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
      // Not within `tidy`, which would search for tensors in every returned number.
      try {
        return scoresOf(scores);
      } finally {
        scores.dispose();
      }
    },
    dispose: () => tf.dispose([weights, offsets]),
  };
}
