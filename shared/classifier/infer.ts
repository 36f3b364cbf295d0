import './prepare-tfjs-node.ts';
import * as tf from '@tensorflow/tfjs-node';
import type { TFSavedModel } from '@tensorflow/tfjs-node/dist/saved_model.js';
import { INFERENCE_BATCH_SIZE } from '../contract/limits.ts';
import type { Label, ModelId } from '../contract/result-line.ts';
import { type ModelFolder, ModelFolderError } from './model-folder.ts';
import { topK } from './top-k.ts';

/** A model that is loaded and warm. */
export type Classifier = {
  readonly id: ModelId;
  readonly format: ModelFolder['config'];
  /**
   * The `k` best labels of each image. Blocks the thread for about 8 ms an image.
   *
   * @param images pixels as `decode-image` gives them, one element an image
   * @throws when TensorFlow refuses the batch
   */
  infer(images: readonly Uint8Array[], k: number): Label[][];
  dispose(): void;
};

/** How many models this process has loaded, and how many tensors it holds: both must stay put. */
export function tensorflowUse(): { modelsLoaded: number; tensors: number } {
  return { modelsLoaded: tf.node.getNumOfSavedModels(), tensors: tf.memory().numTensors };
}

/**
 * Loads the SavedModel of a folder and runs it at the smallest and the usual batch size, so that
 * the first image does not pay for TensorFlow's graph optimizations.
 *
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not belong together
 */
export async function loadClassifier({ path, config, labels }: ModelFolder): Promise<Classifier> {
  const model = await loadSavedModel(path, config.signature);
  const output = outputIndex(model, path, config);
  const predict = (images: readonly Uint8Array[]) =>
    tf.tidy(() => {
      const input = tf.tensor4d(inputValues(images, config), [images.length, config.inputSize, config.inputSize, 3]);
      const outputs = [model.predict(input)].flat() as tf.Tensor[];
      return (outputs[output] as tf.Tensor).dataSync<'float32'>();
    });
  const blank = new Uint8Array(config.inputSize ** 2 * 3);
  checkLabels(predict([blank]).length, path, config, labels.length);
  predict(Array.from({ length: INFERENCE_BATCH_SIZE }, () => blank));
  return {
    id: { name: config.name, version: config.version },
    format: config,
    infer(images, k) {
      const scores = predict(images);
      return images.map((_, row) => topK(scores, row * labels.length, labels, k));
    },
    dispose: () => model.dispose(),
  };
}

async function loadSavedModel(path: string, signature: string): Promise<TFSavedModel> {
  try {
    return await tf.node.loadSavedModel(path, ['serve'], signature);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFolderError(`${path}: expected a SavedModel with the signature ${signature}: ${reason}`, { cause });
  }
}

/** Where the configured output stands among those of the signature; there must be one input. */
function outputIndex(model: TFSavedModel, path: string, config: ModelFolder['config']): number {
  if (model.inputs.length !== 1) {
    throw new ModelFolderError(`${path}: expected one input in ${config.signature}, got ${model.inputs.length}`);
  }
  const outputs = Object.keys(model.outputNodeNames);
  const index = outputs.indexOf(config.output);
  if (index !== -1) return index;
  throw new ModelFolderError(`${path}: expected an output named ${config.output}, got ${outputs.join(', ')}`);
}

/** A prediction tells what no signature does: how many scores an image gets. */
function checkLabels(scores: number, path: string, { output }: ModelFolder['config'], labels: number): void {
  if (scores === labels) return;
  throw new ModelFolderError(
    `${path}: expected a label for each score, got ${labels} lines in labels.txt and ${scores} scores in ${output}`,
  );
}

/** Normalizes (x - mean) / std a channel, unless the model's own graph does. */
function inputValues(images: readonly Uint8Array[], { mean, std, inputSize }: ModelFolder['config']): Float32Array {
  const size = inputSize ** 2 * 3;
  const values = new Float32Array(images.length * size);
  images.forEach((pixels, index) => {
    values.set(pixels, index * size);
  });
  if (mean !== undefined || std !== undefined) normalize(values, mean ?? [0, 0, 0], std ?? [1, 1, 1]);
  return values;
}

function normalize(values: Float32Array, mean: readonly number[], std: readonly number[]): void {
  const [meanR = 0, meanG = 0, meanB = 0] = mean;
  const [stdR = 1, stdG = 1, stdB = 1] = std;
  for (let at = 0; at < values.length; at += 3) {
    values[at] = ((values[at] as number) - meanR) / stdR;
    values[at + 1] = ((values[at + 1] as number) - meanG) / stdG;
    values[at + 2] = ((values[at + 2] as number) - meanB) / stdB;
  }
}
