import { checkSavedModel } from '../check-saved-model.ts';
import type { ModelFolder } from '../model-folder.ts';
import type { LoadedModel } from './loaded-model.ts';
import { loadSavedModel } from './saved-model.ts';

/** Loads the model of a folder. @throws {ModelFolderError} when TensorFlow cannot load it, or must not */
export async function loadModel({ path, format, config, trusted }: ModelFolder): Promise<LoadedModel> {
  if (format === 'saved-model') {
    if (!trusted) await checkSavedModel(path);
    return loadSavedModel(path, config.signature);
  }
  const { loadTfjsModel } = await import('./tfjs-model.ts');
  return loadTfjsModel(path, format, trusted);
}
