import './prepare-tfjs-node.ts';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-node';
import type { TFSavedModel } from '@tensorflow/tfjs-node/dist/saved_model.js';
import { INFERENCE_BATCH_SIZE } from '../contract/limits.ts';
import type { Label, ModelId } from '../contract/result-line.ts';
import type { ModelPrecision } from '../contract/settings.ts';
import { markStart } from '../contract/start-marks.ts';
import { type ModelFolder, ModelFolderError } from './model-folder.ts';
import { topK } from './top-k.ts';
import { hasVnni } from './vnni.ts';

/** A model that is loaded and warm. */
export type Classifier = {
  readonly id: ModelId;
  readonly format: ModelFolder['config'];
  /**
   * The `k` best labels of each image. Blocks the thread for 4 (int8) to 11 ms an image.
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
 * @param precision `auto` takes the int8 model where there is one and the processor is made for it; the version
 * in the result lines then ends in `-int8`
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not belong together
 */
export async function loadClassifier(
  { path: folder, config, labels }: ModelFolder,
  precision: ModelPrecision = 'auto',
): Promise<Classifier> {
  const int8 = precision === 'auto' && config.int8 !== undefined && (await hasVnni()) ? config.int8 : undefined;
  const path = int8 === undefined ? folder : join(folder, int8);
  const model = await loadSavedModel(path, config.signature);
  markStart('labelqueue:model-loaded');
  const output = outputIndex(model, path, config);
  const toTensor = tensorMaker(model, path, config);
  const predict = (images: readonly Uint8Array[]) =>
    tf.tidy(() => {
      const outputs = [model.predict(toTensor(images))].flat() as tf.Tensor[];
      return (outputs[output] as tf.Tensor).dataSync<'float32'>();
    });
  const blank = new Uint8Array(config.inputSize ** 2 * 3);
  checkLabels(predict([blank]).length, path, config, labels.length);
  markStart('labelqueue:first-predicted');
  predict(Array.from({ length: INFERENCE_BATCH_SIZE }, () => blank));
  markStart('labelqueue:warm');
  return {
    id: { name: config.name, version: int8 === undefined ? config.version : `${config.version}-int8` },
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

type TensorMaker = (images: readonly Uint8Array[]) => tf.Tensor4D;

/**
 * How pixels become the model's input. A model that takes uint8 normalizes in its own graph, and
 * gets the bytes as they are; one that takes float32 gets (x - mean) / std a channel.
 */
function tensorMaker(model: TFSavedModel, path: string, config: ModelFolder['config']): TensorMaker {
  const { inputSize, mean, std } = config;
  const shape = (images: readonly Uint8Array[]): [number, number, number, number] => [
    images.length,
    inputSize,
    inputSize,
    3,
  ];
  const dtype = model.inputs[0]?.tfDtype;
  if (dtype === 'DT_UINT8') {
    if (mean !== undefined || std !== undefined) {
      throw new ModelFolderError(`${path}: expected no mean and std in classifier.json for a model that takes uint8`);
    }
    // tfjs-node knows no uint8 tensor, but makes one of the bytes of whatever tensor it is given for
    // such an input. Of its types only bool keeps a byte a byte: int32 and float32 would make it four.
    return (images) => tf.tensor4d(concatenated(images), shape(images), 'bool');
  }
  if (dtype !== 'DT_FLOAT') throw new ModelFolderError(`${path}: expected an input of uint8 or float32, got ${dtype}`);
  return (images) => tf.tensor4d(normalized(images, mean, std), shape(images), 'float32');
}

function concatenated(images: readonly Uint8Array[]): Uint8Array {
  return images.length === 1 && images[0] !== undefined ? images[0] : Buffer.concat(images);
}

function normalized(
  images: readonly Uint8Array[],
  [meanR, meanG, meanB]: readonly [number, number, number] = [0, 0, 0],
  [stdR, stdG, stdB]: readonly [number, number, number] = [1, 1, 1],
): Float32Array {
  const values = Float32Array.from(concatenated(images));
  for (let at = 0; at < values.length; at += 3) {
    values[at] = ((values[at] as number) - meanR) / stdR;
    values[at + 1] = ((values[at + 1] as number) - meanG) / stdG;
    values[at + 2] = ((values[at + 2] as number) - meanB) / stdB;
  }
  return values;
}
