import type { Label, ModelId } from '../contract/result-line.ts';
import type { ModelPrecision } from '../contract/settings.ts';
import { openBestModel } from './best-model.ts';
import type { PictureFormat } from './decode-image.ts';
import type { Arithmetic } from './int8-model.ts';
import type { ModelFolder } from './model-folder.ts';
import { openModel } from './open-model.ts';
import { topK } from './top-k.ts';

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
  dispose(): void;
};

/**
 * Loads the model of a folder, so that it is warm.
 *
 * @param wanted of the models in the folder, see `openBestModel`; the one in floats if nothing is said
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not belong together
 */
export async function loadClassifier(folder: ModelFolder, wanted: ModelPrecision = 'float32'): Promise<Classifier> {
  const { model, arithmetic, folder: chosen, warnings } = await openBestModel(folder, wanted, openModel);
  const { config, labels } = chosen;
  return {
    id: { name: config.name, version: config.version },
    arithmetic,
    format: config,
    notes: [...warnings, ...model.notes],
    infer(images, k) {
      const scores = model.scores(images);
      return images.map((_, row) => topK(scores, row * labels.length, labels, k, config.threshold));
    },
    dispose: () => model.dispose(),
  };
}
