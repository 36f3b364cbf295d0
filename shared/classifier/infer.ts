import type { Label, ModelId } from '../contract/result-line.ts';
import type { PictureFormat } from './decode-image.ts';
import type { ModelFolder } from './model-folder.ts';
import { openModel } from './open-model.ts';
import { topK } from './top-k.ts';

/** A model that is loaded and warm. */
export type Classifier = {
  readonly id: ModelId;
  readonly format: PictureFormat;
  /** Lines about the model that are worth logging once. */
  readonly notes: readonly string[];
  /**
   * The `k` best labels of each image, or those of them that reach the model's threshold. Blocks the
   * thread for 5 (int8) to 11 ms an image with the default model.
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
 * @throws {ModelFolderError} when model, labels and `classifier.json` do not belong together
 */
export async function loadClassifier(folder: ModelFolder): Promise<Classifier> {
  const model = await openModel(folder);
  const { config, labels } = folder;
  return {
    id: { name: config.name, version: config.version },
    format: config,
    notes: model.notes,
    infer(images, k) {
      const scores = model.scores(images);
      return images.map((_, row) => topK(scores, row * labels.length, labels, k, config.threshold));
    },
    dispose: () => model.dispose(),
  };
}
