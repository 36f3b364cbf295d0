import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import type { OpenHead } from './line-relabeler.ts';

/**
 * Loads TensorFlow and the last layer of a model folder, without the rest of the model.
 *
 * @throws {ModelFolderError} when the model has no such layer
 */
export async function openHead(folder: ModelFolder, top: number): Promise<OpenHead> {
  const { readModelHead } = await import('../../shared/classifier/model/model-head.ts');
  const head = await readModelHead(folder);
  // Imported here because TensorFlow is slow to load.
  const { createDenseLayer } = await import('../../shared/classifier/model/tensorflow/dense-layer.ts');
  return { folder, head, layer: createDenseLayer(head), top };
}
