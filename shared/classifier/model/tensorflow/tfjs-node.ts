import './prepare-tfjs-node.ts';
import * as tf from '@tensorflow/tfjs-node';

export { tf };

/** How many SavedModels this process has loaded, and how many tensors it holds: both must stay put. */
export function tensorflowUse(): { modelsLoaded: number; tensors: number } {
  return { modelsLoaded: tf.node.getNumOfSavedModels(), tensors: tf.memory().numTensors };
}

/** Pixel values of a batch, in the type that the model takes. */
export type PixelValues = Uint8Array | Int32Array | Float32Array;

/** [images, height, width, channels] */
export type BatchShape = [images: number, height: number, width: number, channels: number];

/** A tensor of the values' own type. */
export function tensorOf(values: PixelValues, shape: BatchShape): tf.Tensor4D {
  // tfjs-node knows no uint8 tensor, but makes one of the bytes of whatever tensor it is given for
  // such an input. Of its types only bool keeps a byte a byte: int32 and float32 would make it four.
  if (values instanceof Uint8Array) return tf.tensor4d(values, shape, 'bool');
  return tf.tensor4d(values, shape, values instanceof Int32Array ? 'int32' : 'float32');
}

/**
 * The scores of a batch, row by row.
 *
 * @throws when they are not float32, or one of them is no number
 */
export function scoresOf(output: tf.Tensor): Float32Array {
  if (output.dtype !== 'float32') throw new Error(`expected scores of float32, got ${output.dtype}`);
  const scores = output.dataSync<'float32'>();
  for (let at = 0; at < scores.length; at++) {
    if (!Number.isFinite(scores[at])) throw new Error(`expected finite scores, got ${scores[at]}`);
  }
  return scores;
}
