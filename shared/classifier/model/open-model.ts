import { INFERENCE_BATCH_SIZE } from '../../contract/limits.ts';
import { markStart } from '../../runtime/start-marks.ts';
import { activate } from './activation.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { BatchMemory, checkInput, type ModelInput, type Normalization, pixelValues, shapeText } from './model-input.ts';
import { loadModel } from './tensorflow/load-model.ts';
import { type LoadedModel, type TensorFacts, withoutPort } from './tensorflow/loaded-model.ts';
import type { BatchShape } from './tensorflow/tfjs-node.ts';

/** A model that is loaded, matches its folder's labels and configuration, and is warm. */
export type OpenModel = {
  folder: ModelFolder;
  input: TensorFacts & ModelInput;
  outputs: readonly TensorFacts[];
  /** The output with the scores. */
  output: TensorFacts;
  /** Notes to log when the model is loaded, e.g. on unused outputs. */
  notes: readonly string[];
  /**
   * The output of the model, one score per label, image by image. Blocks the thread.
   *
   * @param images pixels as `decode-image` returns them
   * @param normalization by default that of the folder's configuration
   * @throws when TensorFlow rejects the batch, or a score is not a number
   */
  outputScores(images: readonly Uint8Array[], normalization?: Normalization): Float32Array;
  /** The same after the configured activation. */
  scores(images: readonly Uint8Array[]): Float32Array;
  /**
   * The values of tensors of the graph, image by image, in the order of their names; see `LoadedModel.compute`. Only for
   * SavedModels.
   */
  compute?: (images: readonly Uint8Array[], tensors: readonly string[]) => Float32Array[];
  dispose(): void;
};

/**
 * Loads the model of a folder and runs it with the smallest and the usual batch size: this checks that it works, and TensorFlow's
 * graph optimizations do not delay the first image.
 *
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not match
 */
export async function openModel(folder: ModelFolder): Promise<OpenModel> {
  const model = await loadModel(folder);
  markStart('labelqueue:model-loaded');
  try {
    const open = bindToFolder(model, folder);
    warmUp(open, 1);
    markStart('labelqueue:first-predicted');
    warmUp(open, INFERENCE_BATCH_SIZE);
    markStart('labelqueue:warm');
    return open;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function bindToFolder(model: LoadedModel, folder: ModelFolder): OpenModel {
  const { config, labels, path } = folder;
  const { inputSize, activation } = config;
  const input = checkInput(model.inputs, config, path);
  const index = outputIndex(model.outputs, config.output, path);
  const output = model.outputs[index] as TensorFacts;
  checkScores(output, path);
  const shapeOf = (images: readonly Uint8Array[]): BatchShape => [images.length, inputSize, inputSize, 3];
  const memory = new BatchMemory();
  const valuesOf = (images: readonly Uint8Array[], normalization: Normalization) =>
    pixelValues(memory.joined(images), input.dtype, normalization);
  const predict = (images: readonly Uint8Array[], normalization: Normalization) =>
    model.predict(valuesOf(images, normalization), shapeOf(images), index);
  const compute = model.compute;
  const outputScores: OpenModel['outputScores'] = (images, normalization = config) =>
    input.fixedBatch === undefined || images.length <= input.fixedBatch
      ? predict(images, normalization)
      : concat(images.map((image) => predict([image], normalization)));
  return {
    folder,
    input: { ...(model.inputs[0] as TensorFacts), ...input },
    outputs: model.outputs,
    output,
    notes: notesOf(model.outputs, output),
    outputScores,
    scores(images) {
      const scores = outputScores(images);
      activate(scores, labels.length, activation);
      return scores;
    },
    ...(compute !== undefined && {
      compute: (images: readonly Uint8Array[], tensors: readonly string[]) => {
        const batches = input.fixedBatch === undefined ? [images] : images.map((image) => [image]);
        const found = batches.map((batch) => compute(valuesOf(batch, config), shapeOf(batch), tensors));
        return tensors.map((_, tensor) => concat(found.map((values) => values[tensor] as Float32Array)));
      },
    }),
    dispose: () => model.dispose(),
  };
}

function concat(rows: readonly Float32Array[]): Float32Array {
  if (rows.length === 1 && rows[0] !== undefined) return rows[0];
  const all = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}

/** The index of the configured output; a single output needs no name. */
function outputIndex(outputs: readonly TensorFacts[], wanted: string | undefined, path: string): number {
  const names = outputs.map(({ name }) => name);
  if (wanted === undefined && names.length === 1) return 0;
  const index = wanted === undefined ? -1 : names.indexOf(withoutPort(wanted));
  if (index !== -1) return index;
  throw new ModelFolderError(
    wanted === undefined
      ? `${path}: expected the field output in classifier.json to name one of ${names.join(', ')}, it is not there`
      : `${path}: expected an output named ${wanted}, got ${names.join(', ')}`,
  );
}

/** Formats without output types are checked by the first prediction. */
function checkScores({ name, dtype }: TensorFacts, path: string): void {
  if (dtype === undefined || dtype === 'float32') return;
  throw new ModelFolderError(
    `${path}: expected scores of float32, got ${dtype} in the output ${name}: export the model with a cast at its end`,
  );
}

function notesOf(outputs: readonly TensorFacts[], scores: TensorFacts): string[] {
  return outputs
    .filter((output) => output !== scores && output.dtype !== undefined && output.dtype !== 'float32')
    .map(({ name, dtype }) => `the output ${name} of ${dtype} is not used: the scores are those of ${scores.name}`);
}

/** Predictions show what a signature does not: whether the model runs, and the number of scores per image. */
function warmUp({ folder, output, scores }: OpenModel, images: number): void {
  const { path, labels, labelsFrom, config } = folder;
  const blank = new Uint8Array(config.inputSize ** 2 * 3);
  const found = predictBlank(() => scores(Array.from({ length: images }, () => blank)), path).length;
  if (found === images * labels.length) return;
  throw new ModelFolderError(
    images === 1
      ? `${path}: expected a label for each score, got ${labels.length} labels in ${labelsFrom} and ` +
          `${found} scores in the output ${output.name} ${shapeText(output.shape)}`
      : `${path}: expected ${labels.length} scores for each of ${images} images at once, got ${found} in all: ` +
          'the model has to keep the images of a batch apart',
  );
}

function predictBlank(predict: () => Float32Array, path: string): Float32Array {
  try {
    return predict();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFolderError(`${path}: expected the model to return scores for black images, it failed: ${reason}`, {
      cause,
    });
  }
}
