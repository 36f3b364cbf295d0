import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { DEFAULT_MODEL_DIR, type ModelFolder, readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { parseS3Url } from '../../shared/contract/urls.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { type ClassifierSettings, classifierSettingsFrom } from '../../shared/settings.ts';
import { existingFolder } from '../options.ts';
import { isReport } from '../report/mark.ts';
import { EXIT } from '../terminal/exit-codes.ts';
import { failureHintsOf } from '../terminal/failure-hints.ts';
import { checkOutput } from '../terminal/output-file.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { checkTrainingSet } from './label-rules.ts';
import type { TrainingSet } from './labeled-photo.ts';
import { learn } from './learn.ts';
import { checkModelPlace } from './model-place.ts';
import { createPhotoReader } from './photo-reader.ts';
import { readLabelFolders } from './read-folder.ts';
import { readLabelTable } from './read-table.ts';
import { writeReport } from './report.ts';
import { teachingJson, teachingSummary } from './teaching-json.ts';
import { teachingText } from './teaching-text.ts';
import { versionOf, writeModel } from './write-model.ts';

type Options = {
  base?: string;
  out?: string;
  name?: string;
  seed: number;
  heldOut: number;
  report?: string;
  force?: true;
  allowHost?: string[];
  json?: true;
};

/** Trains the last layer of a base model on the user's photos, and writes a model folder. */
export async function teach(from: string, options: Options): Promise<void> {
  const out = resolve(options.out ?? `${baseOf(from)}-model`);
  const name = options.name ?? (visibleLine(basename(out)).slice(0, MAX_NAME) || 'model');
  const place = { path: out, force: options.force === true };
  const report = { path: options.report, force: options.force === true, isOwn: isReport };
  await checkModelPlace(place);
  await checkOutput(report);
  const trainingSet = await readTrainingSet(from);
  checkTrainingSet(trainingSet, from);
  const settings = settingsFor(trainingSet, options.allowHost);
  const reader = createPhotoReader(settings);
  try {
    const base = await readBase(options.base);
    const { teaching, taught, trial } = await learn({
      from,
      name,
      trainingSet,
      base,
      settings,
      reader,
      seed: options.seed,
      share: options.heldOut,
    });
    const version = versionOf(taught, base);
    const sha256 = await writeModel(place, { taught, base, teaching: teachingSummary(teaching), trial });
    const model = { path: out, name, version, sha256 };
    if (options.report !== undefined) await writeReport(report, { teaching, model, reader });
    print(options.json ? `${JSON.stringify(teachingJson(teaching, model))}\n` : teachingText(teaching, model));
    printNote(failureHintsOf(teaching.failures.map(({ source, failure }) => ({ url: source, failure }))));
    if (teaching.failures.length > 0) process.exitCode = EXIT.finishedWithFailures;
  } finally {
    await reader.close();
  }
}

/** The default model is trusted; others are checked. */
async function readBase(path: string | undefined): Promise<ModelFolder> {
  return path === undefined ? readModelFolder(DEFAULT_MODEL_DIR, true) : readModelFolder(existingFolder(path));
}

const MAX_NAME = 80;

/** The name of the folder or the table, without its ending. */
function baseOf(from: string): string {
  const name = basename(resolve(from));
  return name.slice(0, name.length - extname(name).length);
}

async function readTrainingSet(from: string): Promise<TrainingSet> {
  return (await stat(from)).isDirectory() ? readLabelFolders(from) : readLabelTable(from);
}

function settingsFor({ photos }: TrainingSet, allowHost: string[] | undefined): ClassifierSettings {
  const buckets = photos.flatMap(({ source }) => parseS3Url(source)?.bucket ?? []);
  return classifierSettingsFrom({
    ...process.env,
    // The command line names these buckets, so their user has chosen them.
    SOURCE_BUCKETS: [process.env['SOURCE_BUCKETS'], ...new Set(buckets)].join(','),
    ...(allowHost !== undefined && { ALLOWED_HOSTS: allowHost.join(',') }),
  });
}
