import { markStart } from '../contract/start-marks.ts';
import { activate } from './activation.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { checkInput, type ModelInput, type Normalization, pixelValues, shapeText } from './model-input.ts';
import { loadModel } from './tensorflow/load-model.ts';
import type { LoadedModel, TensorFacts } from './tensorflow/loaded-model.ts';

/** A model that was loaded and fits its folder's labels and configuration; it has run once. */
export type OpenModel = {
  folder: ModelFolder;
  input: TensorFacts & ModelInput;
  outputs: readonly TensorFacts[];
  /** The one that holds the scores. */
  output: TensorFacts;
  /**
   * What the model's output holds, a score a label, image by image. Blocks the thread.
   *
   * @param images pixels as `decode-image` gives them
   * @param normalization that of the folder's configuration if none is given
   * @throws when TensorFlow refuses the batch, or a score is no number
   */
  outputScores(images: readonly Uint8Array[], normalization?: Normalization): Float32Array;
  /** The same after the configured activation. */
  scores(images: readonly Uint8Array[]): Float32Array;
  dispose(): void;
};

/**
 * Loads the model of a folder and runs it once.
 *
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not belong together
 */
export async function openModel(folder: ModelFolder): Promise<OpenModel> {
  const model = await loadModel(folder);
  markStart('labelqueue:model-loaded');
  try {
    const open = fitted(model, folder);
    tryOut(open);
    markStart('labelqueue:first-predicted');
    return open;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function fitted(model: LoadedModel, folder: ModelFolder): OpenModel {
  const { config, labels, path } = folder;
  const { inputSize, activation } = config;
  const input = checkInput(model.inputs, config, path);
  const index = outputIndex(model.outputs, config.output, path);
  const predict = (images: readonly Uint8Array[], normalization: Normalization) =>
    model.predict(pixelValues(images, input.dtype, normalization), [images.length, inputSize, inputSize, 3], index);
  const outputScores: OpenModel['outputScores'] = (images, normalization = config) =>
    input.fixedBatch === undefined || images.length <= input.fixedBatch
      ? predict(images, normalization)
      : joined(images.map((image) => predict([image], normalization)));
  return {
    folder,
    input: { ...(model.inputs[0] as TensorFacts), ...input },
    outputs: model.outputs,
    output: model.outputs[index] as TensorFacts,
    outputScores,
    scores(images) {
      const scores = outputScores(images);
      activate(scores, labels.length, activation);
      return scores;
    },
    dispose: () => model.dispose(),
  };
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}

/** Where the configured output stands; the only one needs no name. */
function outputIndex(outputs: readonly TensorFacts[], wanted: string | undefined, path: string): number {
  const names = outputs.map(({ name }) => name);
  if (wanted === undefined && names.length === 1) return 0;
  const index = wanted === undefined ? -1 : names.indexOf(wanted.replace(/:0$/, ''));
  if (index !== -1) return index;
  throw new ModelFolderError(
    wanted === undefined
      ? `${path}: expected the field output in classifier.json to name one of ${names.join(', ')}, it is not there`
      : `${path}: expected an output named ${wanted}, got ${names.join(', ')}`,
  );
}

/** A prediction tells what no signature does: whether the model runs, and how many scores an image gets. */
function tryOut({ folder: { path, labels, labelsFrom, config }, output, outputScores }: OpenModel): void {
  const scores = firstScores(() => outputScores([new Uint8Array(config.inputSize ** 2 * 3)]), path);
  if (scores.length === labels.length) return;
  throw new ModelFolderError(
    `${path}: expected a label for each score, got ${labels.length} labels in ${labelsFrom} and ` +
      `${scores.length} scores in the output ${output.name} ${shapeText(output.shape)}`,
  );
}

function firstScores(predict: () => Float32Array, path: string): Float32Array {
  try {
    return predict();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFolderError(`${path}: expected the model to give scores for a black image, it did not: ${reason}`, {
      cause,
    });
  }
}
