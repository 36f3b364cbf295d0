import { describeError } from '../../contract/redact.ts';
import { activate } from './activation.ts';
import { type LastLayer, readLastLayer } from './last-layer.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { type OpenModel, openModel } from './open-model.ts';

/**
 * A model that also returns the input of its last layer: the features of an image, 1,280 numbers for the default model. Similar
 * images have features of similar direction.
 */
export type FeatureModel = OpenModel & {
  /** The number of features per image. */
  featureLength: number;
  /** The last layer, which takes the features. */
  lastLayer: LastLayer;
  /**
   * The features of images, image by image. Blocks the thread for as long as `scores` does.
   *
   * @param images pixels as `decode-image` returns them
   * @throws when TensorFlow rejects the batch, or a feature is not a finite number
   */
  features(images: readonly Uint8Array[]): Float32Array;
  /** Features and scores (after the activation) of images, at the cost of the scores. */
  featuresAndScores(images: readonly Uint8Array[]): { features: Float32Array; scores: Float32Array };
};

/**
 * As `openModel`, for `openBestModel`. Only frozen SavedModels have features.
 *
 * @throws {ModelFolderError} also when the model does not end in one dense layer
 */
export async function openFeatureModel(folder: ModelFolder): Promise<FeatureModel> {
  const model = await openModel(folder);
  try {
    return await withFeatures(model);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function withFeatures(model: OpenModel): Promise<FeatureModel> {
  const { compute, output, folder } = model;
  const scoresTensor = output.tensor;
  if (compute === undefined || scoresTensor === undefined) {
    throw new ModelFolderError(`${folder.path}: expected a SavedModel to take features from, got a ${folder.format}`);
  }
  const lastLayer = await readLastLayer(folder.path, scoresTensor);
  const { features, length } = lastLayer;
  const blank = new Uint8Array(folder.config.inputSize ** 2 * 3);
  checkFeatures(() => compute([blank], [features])[0]?.length, length, folder.path);
  return {
    ...model,
    featureLength: length,
    lastLayer,
    features: (images) => compute(images, [features])[0] as Float32Array,
    featuresAndScores(images) {
      const [found, scores] = compute(images, [features, scoresTensor]) as [Float32Array, Float32Array];
      activate(scores, folder.labels.length, folder.config.activation);
      return { features: found, scores };
    },
  };
}

/** The graph does not show everything: a feature may be infinite where the scores are not. */
function checkFeatures(countFeatures: () => number | undefined, length: number, path: string): void {
  let reason: string;
  try {
    const found = countFeatures();
    if (found === length) return;
    reason = `got ${found ?? 'none'}`;
  } catch (error) {
    reason = `it did not: ${describeError(error)}`;
  }
  throw new ModelFolderError(`${path}: expected the model to return ${length} features for a black image, ${reason}`);
}
