import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../../../shared/classifier/decode/decode-image.ts';
import { activate } from '../../../shared/classifier/model/activation.ts';
import { openBestModel } from '../../../shared/classifier/model/best-model.ts';
import { type ClassifierConfig, meanAndStd } from '../../../shared/classifier/model/classifier-config.ts';
import type { ModelFolder } from '../../../shared/classifier/model/model-folder.ts';
import { type ModelFormat, SAVED_MODEL_FILE, TFJS_MODEL_FILE } from '../../../shared/classifier/model/model-format.ts';
import type { Normalization } from '../../../shared/classifier/model/model-input.ts';
import { type OpenModel, openModel } from '../../../shared/classifier/model/open-model.ts';
import type { TensorFacts } from '../../../shared/classifier/model/tensorflow/loaded-model.ts';
import { topK } from '../../../shared/classifier/model/top-k.ts';
import { type ErrorReport, ImageFailure } from '../../../shared/contract/error-codes.ts';
import type { Label, ModelId } from '../../../shared/contract/result-line.ts';
import type { ModelPrecision } from '../../../shared/settings.ts';
import {
  activationWarnings,
  comparisonWarnings,
  formatWarnings,
  type ModelWarning,
  normalizationWarnings,
} from './model-warnings.ts';

/** A photo to try the model with: its bytes, or why there are none. */
export type CheckedPhoto = { name: string; bytes: Buffer | ImageFailure };

/** What `labelqueue model check` tells of a model folder. */
export type ModelReport = {
  path: string;
  format: ModelFormat;
  model: ModelId;
  licence: string | null;
  input: TensorFacts;
  outputs: readonly TensorFacts[];
  /** Which of the outputs holds the scores. */
  output: string;
  labels: { count: number; from: string; first: readonly string[] };
  config: ClassifierConfig;
  timings: BatchTiming[];
  /** Resident memory of the process. */
  memory: { beforeBytes: number; loadedBytes: number; peakBytes: number };
  predictions: ({ photo: string; labels: Label[] } | { photo: string; error: ErrorReport })[];
  warnings: ModelWarning[];
};

export type BatchTiming = { images: number; millisecondsPerImage: number; imagesPerSecond: number };

const BATCHES = [1, 8, 32];
const FIRST_LABELS = 3;

/**
 * Loads a model as a worker does, measures it and looks for what is probably not meant. Takes the thread
 * for some seconds.
 *
 * @param wanted of the models in the folder, see `openBestModel`
 * @param k labels a photo
 * @throws {ModelFolderError} when the folder cannot be used
 */
export async function checkModel(
  modelFolder: ModelFolder,
  wanted: ModelPrecision,
  photos: readonly CheckedPhoto[],
  k: number,
): Promise<ModelReport> {
  const beforeBytes = process.memoryUsage.rss();
  const { model, folder, warnings } = await openBestModel(modelFolder, wanted, openModel);
  try {
    const { config, labels } = folder;
    const loadedBytes = process.memoryUsage.rss();
    const timings = BATCHES.map((images) => timeBatch(model, images));
    const pictures = await Promise.all(photos.map((photo) => decodePhoto(photo, config)));
    const pixels = pictures.flatMap((picture) => (picture instanceof ImageFailure ? [] : [picture]));
    return {
      path: folder.path,
      format: folder.format,
      model: { name: config.name, version: config.version },
      licence: config.licence ?? null,
      input: model.input,
      outputs: model.outputs,
      output: model.output.name,
      labels: { count: labels.length, from: folder.labelsFrom, first: labels.slice(0, FIRST_LABELS) },
      config,
      timings,
      memory: { beforeBytes, loadedBytes, peakBytes: process.resourceUsage().maxRSS * 1_024 },
      predictions: photos.map(({ name }, index) => predictionOf(model, name, pictures[index] as Uint8Array, k)),
      warnings: [
        ...warnings.map((message): ModelWarning => ({ code: 'int8_not_used', message })),
        ...(await warningsOf(model, pixels)),
      ],
    };
  } finally {
    model.dispose();
  }
}

const LEAST_RUNS = 3;
const LEAST_MILLISECONDS = 300;

/** The median of several runs, after one that is not counted. */
function timeBatch(model: OpenModel, images: number): BatchTiming {
  const { inputSize } = model.folder.config;
  const batch = Array.from({ length: images }, () => new Uint8Array(inputSize ** 2 * 3).fill(127));
  model.scores(batch);
  const times: number[] = [];
  const started = performance.now();
  while (times.length < LEAST_RUNS || performance.now() - started < LEAST_MILLISECONDS) {
    const before = performance.now();
    model.scores(batch);
    times.push(performance.now() - before);
  }
  const median = times.sort((one, other) => one - other)[Math.floor(times.length / 2)] as number;
  return { images, millisecondsPerImage: median / images, imagesPerSecond: (1_000 * images) / median };
}

async function decodePhoto({ bytes }: CheckedPhoto, config: ClassifierConfig): Promise<Uint8Array | ImageFailure> {
  if (bytes instanceof ImageFailure) return bytes;
  const decoded = await decodeImage(bytes, config);
  return decoded instanceof ImageFailure ? decoded : decoded.pixels;
}

function predictionOf(
  model: OpenModel,
  photo: string,
  picture: Uint8Array | ImageFailure,
  k: number,
): ModelReport['predictions'][number] {
  if (picture instanceof ImageFailure) return { photo, error: picture.report() };
  const { labels, config } = model.folder;
  return { photo, labels: topK(model.scores([picture]), labels, k, config.threshold) };
}

async function warningsOf(model: OpenModel, pixels: readonly Uint8Array[]): Promise<ModelWarning[]> {
  const { folder, input } = model;
  return [
    ...formatWarnings(folder.format, input),
    ...model.notes.map((message): ModelWarning => ({ code: 'output_not_read', message })),
    ...activationWarnings(outputRows(model, pixels, folder.config), folder.config),
    ...normalizationWarnings(folder.config, input, await normalizesItself(folder)),
    ...(input.dtype === 'float32' ? compare(model, pixels) : []),
  ];
}

/** One at a time: a check has no need of speed, and a batch would need its memory. */
function outputRows(model: OpenModel, pixels: readonly Uint8Array[], normalization: Normalization): Float32Array[] {
  return pixels.map((picture) => model.outputScores([picture], normalization));
}

/** In units of 0 to 255: those of the ImageNet models of PyTorch, and of Keras' `mode="torch"`. */
const IMAGENET: Normalization = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };

/** What models are trained on. */
const COMMON_NORMALIZATIONS: Record<string, Normalization> = {
  'pixels from 0 to 255 (no range, mean and std)': {},
  'a range of [0, 1]': meanAndStd([0, 1]),
  'a range of [-1, 1]': meanAndStd([-1, 1]),
  'the mean and std of ImageNet, [123.675, 116.28, 103.53] and [58.395, 57.12, 57.375]': IMAGENET,
};

function compare(model: OpenModel, pixels: readonly Uint8Array[]): ModelWarning[] {
  const { config } = model.folder;
  const distributions = (normalization: Normalization) =>
    outputRows(model, pixels, normalization).map((row) => asDistribution(row, config.activation));
  return comparisonWarnings(
    distributions(config),
    Object.fromEntries(
      Object.entries(COMMON_NORMALIZATIONS).map(([name, normalization]) => [name, distributions(normalization)]),
    ),
  );
}

/** Logits count as what a softmax makes of them, scores of several labels as shares. */
function asDistribution(row: Float32Array, activation: ClassifierConfig['activation']): Float32Array {
  const logits = row.some((score) => score < 0 || score > 1);
  activate(row, row.length, activation === 'none' && logits ? 'softmax' : activation);
  const sum = row.reduce((all, score) => all + score, 0);
  return sum > 0 ? row.map((score) => score / sum) : row;
}

/** As Keras names the layers that rescale pixels, in the files of either format. */
const RESCALING = ['rescaling', 'Rescaling', '"Normalization"', 'normalization/sub'];

async function normalizesItself({ path, format }: ModelFolder): Promise<boolean> {
  const bytes = await readFile(join(path, format === 'saved-model' ? SAVED_MODEL_FILE : TFJS_MODEL_FILE));
  return RESCALING.some((name) => bytes.includes(name));
}
