import { join } from 'node:path';
import { SHIPPED_MODELS } from '../../runtime/shipped-models.ts';
import { type ClassifierConfig, parseClassifierConfig } from './classifier-config.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { type ModelFormat, modelFormatOf } from './model-format.ts';
import { checkStaysInside, readOptionalModelFile } from './read-model-file.ts';
import { METADATA_FILE, teachableMachineConfig } from './teachable-machine.ts';

/** The default model, which is part of the program. */
export const DEFAULT_MODEL_DIR = join(SHIPPED_MODELS, 'efficientnet-lite0');

/** The configuration of a model folder. */
export const CONFIG_FILE = 'classifier.json';
/** The labels of a model folder, one per line. */
export const LABELS_FILE = 'labels.txt';

/** A validated model folder: format, labels and configuration. */
export type ModelFolder = {
  path: string;
  format: ModelFormat;
  config: ClassifierConfig;
  /** One label per class, in the order of the scores. */
  labels: readonly string[];
  /** The file of the labels, for messages. */
  labelsFrom: string;
  /** Whether its model may do anything that TensorFlow can, see `checkSavedModel`. */
  trusted: boolean;
};

/**
 * Reads a model folder except the model itself; see `docs/models.md`.
 *
 * @param trusted whether links may lead out of the folder, and the model may do more than compute
 * @throws {ModelFolderError} naming the file, the field, what was expected and what was found
 */
export async function readModelFolder(path: string, trusted = false): Promise<ModelFolder> {
  const format = await modelFormatOf(path);
  if (!trusted) await checkStaysInside(path);
  const config = await readOptionalModelFile(path, CONFIG_FILE);
  if (config !== undefined) {
    const folder = { path, format, trusted, ...(await configured(path, config)) };
    await checkInt8(folder);
    return folder;
  }
  const metadata = format === 'layers-model' ? await readOptionalModelFile(path, METADATA_FILE) : undefined;
  if (metadata === undefined) {
    throw new ModelFolderError(
      `${join(path, CONFIG_FILE)}: expected a file that says how the model is used, there is none ` +
        '(docs/models.md describes it; only exports of Teachable Machine, which have a metadata.json, do without)',
    );
  }
  return { path, format, trusted, ...(await teachableMachineConfig(path, metadata)), labelsFrom: METADATA_FILE };
}

/** Checked on every processor, so that errors do not only occur on those that load it. */
async function checkInt8({ path, format, config: { int8 } }: ModelFolder): Promise<void> {
  if (int8 === undefined) return;
  const field = `${join(path, CONFIG_FILE)}: int8`;
  if (format !== 'saved-model')
    throw new ModelFolderError(`${field}: expected it beside a SavedModel, got a ${format}`);
  if ((await modelFormatOf(join(path, int8))) === 'saved-model') return;
  throw new ModelFolderError(`${field}: expected a SavedModel in ${join(path, int8)}, got another format`);
}

async function configured(
  folder: string,
  text: string,
): Promise<{ config: ClassifierConfig; labels: readonly string[]; labelsFrom: string }> {
  const { config, labels } = parseClassifierConfig(text, join(folder, CONFIG_FILE));
  const file = await readOptionalModelFile(folder, LABELS_FILE);
  if (labels !== undefined && file !== undefined) {
    throw new ModelFolderError(`${folder}: expected labels either in ${CONFIG_FILE} or in ${LABELS_FILE}, found both`);
  }
  if (labels !== undefined) return { config, labels, labelsFrom: CONFIG_FILE };
  if (file === undefined) {
    throw new ModelFolderError(`${folder}: expected labels in ${LABELS_FILE} or in ${CONFIG_FILE}, found none`);
  }
  return { config, labels: linesOf(file, join(folder, LABELS_FILE)), labelsFrom: LABELS_FILE };
}

function linesOf(text: string, path: string): string[] {
  const labels = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const emptyLine = labels.indexOf('');
  if (emptyLine === -1) return labels;
  throw new ModelFolderError(`${path}: expected a label on each line, line ${emptyLine + 1} is empty`);
}
