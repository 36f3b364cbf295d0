import { classifierSettingsFrom } from '../../shared/settings.ts';
import { readImageFile } from '../image-file.ts';
import { existingFolder } from '../options.ts';
import { samplePhotos } from '../sample-photos.ts';
import { EXIT } from '../terminal/exit-codes.ts';
import { print } from '../terminal/terminal.ts';
import { modelReportText } from './check/model-report-text.ts';

type Options = { top: number; trustModel?: true; json?: true };

/** Labels photos with a model folder as a worker would, and prints what it measured. */
export async function check(folder: string, photos: string[], { top, trustModel, json }: Options): Promise<void> {
  const path = existingFolder(folder);
  // Imported here because TensorFlow is slow to load and `--help` does not need it.
  const { checkModel } = await import('./check/check-model.ts');
  const { readModelFolder } = await import('../../shared/classifier/model/model-folder.ts');
  const names = photos.length > 0 ? photos : await samplePhotos();
  const read = names.map(async (name) => ({ name, bytes: await readImageFile(name) }));
  const { modelPrecision } = classifierSettingsFrom({ MODEL_PRECISION: process.env['MODEL_PRECISION'] });
  const model = await readModelFolder(path, trustModel === true);
  const report = await checkModel(model, modelPrecision, await Promise.all(read), top);
  print(json ? `${JSON.stringify(report)}\n` : modelReportText(report));
  if (report.predictions.some((prediction) => 'error' in prediction)) process.exitCode = EXIT.finishedWithFailures;
}
