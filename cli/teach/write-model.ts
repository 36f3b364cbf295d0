import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configuredScores, type LastLayerWeights, lastLayerOf } from '../../shared/classifier/model/last-layer.ts';
import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { SAVED_MODEL_FILE } from '../../shared/classifier/model/model-format.ts';
import { MAX_MODEL_BYTES, readModelFile } from '../../shared/classifier/model/read-model-file.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { createFolderAtomically, replaceFolderAtomically } from '../../shared/runtime/atomic-folder.ts';
import { cleanUpAtEnd, interruptible, sameCommand } from '../terminal/interruption.ts';
import { checkMade, openToOthers } from '../terminal/new-folder.ts';
import { checkModelPlace, type ModelPlace, SUMS_FILE, TEACHING_FILE } from './model-place.ts';
import { replaceLastLayer } from './replace-last-layer.ts';
import { checkWritten, type Trial } from './trial.ts';

const LICENCE_FILE = 'LICENSE';

/** A model that was taught. */
export type TaughtModel = {
  name: string;
  /** In the order of the classes. */
  labels: readonly string[];
  weights: LastLayerWeights;
};

/** @returns the first digits of a hash over all that was learned: another training has another version */
export function versionOf({ labels, weights }: TaughtModel, base: ModelFolder): string {
  const hash = createHash('sha256').update(JSON.stringify([base.config.name, base.config.version, labels]));
  return hash.update(weights.kernel).update(weights.bias).digest('hex').slice(0, 12);
}

/** What goes into a model folder. */
export type NewModel = {
  taught: TaughtModel;
  base: ModelFolder;
  /** How it was taught, for people. */
  teaching: object;
  /** What the model that was written must give. */
  trial: Trial;
};

/**
 * Writes a model folder that computes as the base does, in floats and in integers, and has the taught last layer. It appears whole
 * or not at all; one that the command has made before is replaced with `--force`, once the new one is whole.
 *
 * @returns the SHA-256 of its list of files, for MODEL_SHA256
 * @throws {CommandError} when something else is there by now, or what was written gives other scores than what was taught
 */
export async function writeModel(place: ModelPlace, model: NewModel): Promise<string> {
  const { path } = place;
  const files = await filesOf(model);
  const sums = Buffer.from([...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join(''));
  files.set(SUMS_FILE, sums);
  let isWhole = false;
  interruptible(() =>
    isWhole
      ? `interrupted: the model is in ${visibleLine(path)}`
      : `interrupted: no model was written; to begin again: ${sameCommand()}`,
  );
  const fill = (folder: string) => fillFolder(folder, files, model.trial);
  await checkModelPlace(place);
  if (existsSync(path)) await replaceFolderAtomically(await realpath(path), fill, () => checkModelPlace(place));
  else checkMade(await createFolderAtomically(path, fill), path);
  isWhole = true;
  return sha256(sums);
}

async function fillFolder(folder: string, files: ReadonlyMap<string, Buffer>, trial: Trial): Promise<void> {
  const forget = cleanUpAtEnd(() => rmSync(folder, { recursive: true, force: true }));
  await writeFiles(folder, files);
  await checkWritten(folder, trial);
  forget();
}

async function filesOf({ taught, base, teaching }: NewModel): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const folder of ['', ...(base.config.int8 === undefined ? [] : [base.config.int8])]) {
    files.set(join(folder, SAVED_MODEL_FILE), await savedModelOf(join(base.path, folder), taught.weights, base));
  }
  files.set('labels.txt', Buffer.from(taught.labels.map((label) => `${label}\n`).join('')));
  files.set('classifier.json', json(configOf(taught, base)));
  files.set(TEACHING_FILE, json(teaching));
  const licence = await readFile(join(base.path, LICENCE_FILE)).catch(() => undefined);
  if (licence !== undefined) files.set(LICENCE_FILE, licence);
  return files;
}

async function savedModelOf(folder: string, weights: LastLayerWeights, { config }: ModelFolder): Promise<Buffer> {
  const bytes = await readModelFile(folder, SAVED_MODEL_FILE, MAX_MODEL_BYTES);
  const scores = configuredScores(bytes, config, folder);
  return replaceLastLayer(bytes, lastLayerOf(bytes, scores, folder), scores, weights);
}

function configOf(taught: TaughtModel, base: ModelFolder): object {
  // A label of the base may have had to reach a threshold; a taught photo has the best one.
  const { licence, threshold: _, ...config } = base.config;
  return {
    ...config,
    name: taught.name,
    version: versionOf(taught, base),
    licence: `${licence} (${config.name}); its last layer was trained on photos of your own`,
  };
}

function json(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  await openToOthers(folder);
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}
