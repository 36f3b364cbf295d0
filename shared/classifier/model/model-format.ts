import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelFolderError } from './model-folder-error.ts';
import { MAX_TOPOLOGY_BYTES, parseJson, readOptionalModelFile } from './read-model-file.ts';

/** The model formats: TensorFlow's SavedModel, and the two of TensorFlow.js. */
export type ModelFormat = 'saved-model' | 'graph-model' | 'layers-model';

/** The graph of a SavedModel. */
export const SAVED_MODEL_FILE = 'saved_model.pb';
/** The topology and the weights manifest of a TensorFlow.js model. */
export const TFJS_MODEL_FILE = 'model.json';

/**
 * Detects the format of a folder's model by its files.
 *
 * @throws {ModelFolderError} when there is no model, or more than one
 */
export async function modelFormatOf(folder: string): Promise<ModelFormat> {
  const files = await filesOf(folder);
  const models = [SAVED_MODEL_FILE, TFJS_MODEL_FILE].filter((file) => files.includes(file));
  if (models.length > 1) {
    throw new ModelFolderError(`${folder}: expected one model, found ${models.join(' and ')}: remove one of them`);
  }
  if (models[0] === SAVED_MODEL_FILE) return 'saved-model';
  if (models[0] === TFJS_MODEL_FILE) return tfjsFormatOf(folder);
  throw new ModelFolderError(
    `expected a model folder with ${SAVED_MODEL_FILE} or ${TFJS_MODEL_FILE} at ${folder}, found ${listed(files)}. ` +
      'docs/models.md says how to make one',
  );
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ModelFolderError(
      `expected a model folder with ${SAVED_MODEL_FILE} or ${TFJS_MODEL_FILE} at ${folder}, it cannot be read: ${code}`,
      { cause },
    );
  }
}

const LISTED = 10;

function listed(files: readonly string[]): string {
  if (files.length === 0) return 'no files';
  return `${files.slice(0, LISTED).join(', ')}${files.length > LISTED ? ', …' : ''}`;
}

/** Files of TensorFlow.js 1 have no `format`; their topology determines it. */
async function tfjsFormatOf(folder: string): Promise<ModelFormat> {
  const path = join(folder, TFJS_MODEL_FILE);
  const text = await readOptionalModelFile(folder, TFJS_MODEL_FILE, MAX_TOPOLOGY_BYTES);
  const found = parseJson(text ?? '', path) as {
    format?: unknown;
    modelTopology?: { node?: unknown; model_config?: unknown; class_name?: unknown };
  } | null;
  if (found?.format === 'graph-model' || found?.format === 'layers-model') return found.format;
  const { node, model_config, class_name } = found?.modelTopology ?? {};
  if (found?.format === undefined && Array.isArray(node)) return 'graph-model';
  if (found?.format === undefined && (model_config !== undefined || class_name !== undefined)) return 'layers-model';
  throw new ModelFolderError(
    `${path}: expected a graph model or a layers model of TensorFlow.js, found ` +
      (found?.format === undefined
        ? 'no format and no topology of either'
        : `the format ${JSON.stringify(found.format)}`),
  );
}
