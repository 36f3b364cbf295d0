import type { ModelFolder } from '../shared/classifier/model/model-folder.ts';
import { classifierSettingsFrom } from '../shared/settings.ts';
import { type ModelOptions, modelEnvironment } from './options.ts';
import { CommandError } from './terminal/user-errors.ts';

/**
 * The model folder of a command: `--model`, MODEL_DIR, or the default model.
 *
 * @param what needs the model, for the message
 * @throws {CommandError} when the settings name a model in S3, which is not fetched for this
 * @throws {ModelFolderError}
 */
export async function localModel(options: ModelOptions, what: string): Promise<ModelFolder> {
  const { modelDir, modelS3Uri, modelTrusted } = classifierSettingsFrom({
    ...process.env,
    ...modelEnvironment(options),
  });
  if (modelDir === undefined && modelS3Uri !== undefined) {
    throw new CommandError(
      `expected a model on this machine for ${what}, got MODEL_S3_URI: set the model folder with --model`,
    );
  }
  const { DEFAULT_MODEL_DIR, readModelFolder } = await import('../shared/classifier/model/model-folder.ts');
  return readModelFolder(modelDir ?? DEFAULT_MODEL_DIR, modelDir === undefined || modelTrusted);
}
