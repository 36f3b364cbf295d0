import './prepare-tfjs-node.ts';
import * as tf from '@tensorflow/tfjs-node';

export { tf };

/** The number of SavedModels and tensors of this process: both must stay constant. */
export function tensorflowUse(): { modelsLoaded: number; tensors: number } {
  return { modelsLoaded: tf.node.getNumOfSavedModels(), tensors: tf.memory().numTensors };
}

/** Pixel values of a batch, in the type of the model's input. */
export type PixelValues = Uint8Array | Int32Array | Float32Array;

/** [images, height, width, channels] */
export type BatchShape = [images: number, height: number, width: number, channels: number];

/** A tensor of the type of the values. */
export function tensorOf(values: PixelValues, shape: BatchShape): tf.Tensor4D {
  // TensorFlow.js has no uint8 tensors. Of its types, only bool has one byte per value: int32 and float32 have four.
  if (values instanceof Uint8Array) return tf.tensor4d(values, shape, 'bool');
  return tf.tensor4d(values, shape, values instanceof Int32Array ? 'int32' : 'float32');
}

/**
 * The scores of a batch, row by row.
 *
 * @throws when they are not float32, or one of them is not a number
 */
export function scoresOf(output: tf.Tensor): Float32Array {
  if (output.dtype !== 'float32') throw new Error(`expected scores of float32, got ${output.dtype}`);
  const scores = output.dataSync<'float32'>();
  for (let at = 0; at < scores.length; at++) {
    if (!Number.isFinite(scores[at])) throw new Error(`expected finite scores, got ${scores[at]}`);
  }
  return scores;
}
