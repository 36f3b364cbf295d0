import { encodeEmbedding } from '../contract/embedding.ts';
import type { Label, ModelId } from '../contract/result-line.ts';
import type { ModelPrecision } from '../settings.ts';
import type { PictureFormat } from './decode/decode-image.ts';
import type { InferenceResult } from './inference-result.ts';
import { type Opened, openBestModel } from './model/best-model.ts';
import { openFeatureModel } from './model/feature-model.ts';
import type { Arithmetic } from './model/int8-model.ts';
import type { ModelFolder } from './model/model-folder.ts';
import { type OpenModel, openModel } from './model/open-model.ts';
import { topK } from './model/top-k.ts';
import { readTrunk } from './model/trunk.ts';

/** A model that is loaded and warm. */
export type Classifier = {
  readonly id: ModelId;
  /** The arithmetic that it computes in. */
  readonly arithmetic: Arithmetic;
  readonly format: PictureFormat;
  /** Notes on the model, each to be logged once. */
  readonly notes: readonly string[];
  /**
   * The `k` best labels of each image that reach the model's threshold. Blocks the thread for 4 (int8 with VNNI) to 12 ms per
   * image with the default model.
   *
   * @param images pixels as `decode-image` returns them, one element per image
   * @throws when TensorFlow rejects the batch, or a score is not a number
   */
  infer(images: readonly Uint8Array[], k: number): Label[][];
  /** The same with embeddings, in one pass; present only when the classifier was loaded for them. */
  embed?(images: readonly Uint8Array[], k: number): Required<InferenceResult>[];
  dispose(): void;
};

/**
 * Loads the model of a folder and warms it up.
 *
 * @param wanted which model of the folder, see `openBestModel`; by default the one in floats
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not match
 */
export async function loadClassifier(folder: ModelFolder, wanted: ModelPrecision = 'float32'): Promise<Classifier> {
  return classifierOf(await openBestModel(folder, wanted, openModel));
}

/**
 * As `loadClassifier`, for a classifier that also returns embeddings.
 *
 * @throws {ModelFolderError} also when the model does not end in one dense layer
 */
export async function loadEmbeddingClassifier(folder: ModelFolder, wanted: ModelPrecision): Promise<Classifier> {
  // Before the model is loaded: a model without one is refused sooner.
  const trunk = await readTrunk(folder);
  const opened = await openBestModel(folder, wanted, openFeatureModel);
  const { model } = opened;
  const labelsOf = labelsBy(opened.folder);
  const { featureLength: length } = model;
  return {
    ...classifierOf(opened),
    embed(images, k) {
      const { features, scores } = model.featuresAndScores(images);
      return images.map((_, row) => ({
        labels: labelsOf(scores, row, k),
        embedding: { embedding: encodeEmbedding(features.subarray(row * length, (row + 1) * length)), trunk },
      }));
    },
  };
}

function classifierOf({ model, arithmetic, folder, warnings }: Opened<OpenModel>): Classifier {
  const { config } = folder;
  const labelsOf = labelsBy(folder);
  return {
    id: { name: config.name, version: config.version },
    arithmetic,
    format: config,
    notes: [...warnings, ...model.notes],
    infer(images, k) {
      const scores = model.scores(images);
      return images.map((_, row) => labelsOf(scores, row, k));
    },
    dispose: () => model.dispose(),
  };
}

/** The best labels of a row of scores, by the folder's labels and threshold. */
function labelsBy({ labels, config: { threshold } }: ModelFolder) {
  return (scores: Float32Array, row: number, k: number) =>
    topK(scores.subarray(row * labels.length), labels, k, threshold);
}
