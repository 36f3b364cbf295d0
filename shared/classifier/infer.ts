import { encodeEmbedding } from '../contract/embedding.ts';
import type { Label, ModelId } from '../contract/result-line.ts';
import type { ModelPrecision } from '../settings.ts';
import type { PictureFormat } from './decode/decode-image.ts';
import type { Answer } from './fetch/answer.ts';
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
  /** What it computes in. */
  readonly arithmetic: Arithmetic;
  readonly format: PictureFormat;
  /** Lines about the model that are worth logging once. */
  readonly notes: readonly string[];
  /**
   * The `k` best labels of each image, or those of them that reach the model's threshold. Blocks the
   * thread for 4 (int8 with VNNI) to 12 ms an image with the default model.
   *
   * @param images pixels as `decode-image` gives them, one element an image
   * @throws when TensorFlow refuses the batch, or a score is no number
   */
  infer(images: readonly Uint8Array[], k: number): Label[][];
  /** The same with embeddings, computed at once; of a classifier alone that was loaded for them. */
  embed?(images: readonly Uint8Array[], k: number): Required<Answer>[];
  dispose(): void;
};

/**
 * Loads the model of a folder, so that it is warm.
 *
 * @param wanted of the models in the folder, see `openBestModel`; the one in floats if nothing is said
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not belong together
 */
export async function loadClassifier(folder: ModelFolder, wanted: ModelPrecision = 'float32'): Promise<Classifier> {
  return classifierOf(await openBestModel(folder, wanted, openModel));
}

/**
 * As `loadClassifier`, for a classifier that also gives embeddings.
 *
 * @throws {ModelFolderError} also when the model does not end in one dense layer
 */
export async function loadEmbeddingClassifier(folder: ModelFolder, wanted: ModelPrecision): Promise<Classifier> {
  // Before the model is loaded: it is the faster way to find out that there is none.
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

/** The best labels of a row of scores, as the folder has it. */
function labelsBy({ labels, config: { threshold } }: ModelFolder) {
  return (scores: Float32Array, row: number, k: number) => topK(scores, row * labels.length, labels, k, threshold);
}
