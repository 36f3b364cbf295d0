import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withCurrentFieldNames } from '../../../shared/classifier/model/classifier-config.ts';
import { CONFIG_FILE, LABELS_FILE, type ModelFolder } from '../../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../../shared/classifier/model/model-folder-error.ts';
import { SAVED_MODEL_FILE } from '../../../shared/classifier/model/model-format.ts';
import type { OpenModel } from '../../../shared/classifier/model/open-model.ts';
import { parseJson, readOptionalModelFile } from '../../../shared/classifier/model/read-model-file.ts';
import { DEFAULT_SIGNATURE } from '../../../shared/classifier/model/saved-model-graph.ts';
import { openTfjsModel } from '../../../shared/classifier/model/tensorflow/tfjs-model.ts';
import { ConversionError, type Trace, withFreeBatch } from './trace.ts';
import { traceModel } from './trace-model.ts';
import { savedModelOf } from './write-saved-model.ts';

/**
 * Converts a model folder with a TensorFlow.js model to one with a SavedModel: same labels, pixels and scores.
 *
 * @param model that of the folder, opened
 * @param into an empty folder
 * @throws {ModelFolderError} when the folder holds no model of TensorFlow.js, or one that cannot be converted
 */
export async function convertModel(model: OpenModel, into: string): Promise<void> {
  const { folder, input, output } = model;
  const signature = { name: folder.config.signature ?? DEFAULT_SIGNATURE, input: input.name, output: output.name };
  const trace = await traceOf(model);
  await writeFile(
    join(into, SAVED_MODEL_FILE),
    converting(folder, () => savedModelOf(trace, signature)),
  );
  await writeConfig(folder, into);
  await copyLicense(folder.path, into);
}

async function traceOf({ folder, input, output, outputs }: OpenModel): Promise<Trace> {
  const { path, format, trusted, config } = folder;
  if (format === 'saved-model') {
    throw new ModelFolderError(
      `${path}: expected a model of TensorFlow.js, got a SavedModel, which needs no conversion`,
    );
  }
  const model = await openTfjsModel(path, format, trusted);
  try {
    const trace = (images: number): Trace => {
      const size = images * config.inputSize ** 2 * 3;
      const values = input.dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
      const shape = [images, config.inputSize, config.inputSize, 3] as const;
      return traceModel(model, values, [...shape], outputs.indexOf(output));
    };
    return converting(folder, () => (input.fixedBatch === 1 ? trace(1) : withFreeBatch(trace(2), trace(3))));
  } finally {
    model.dispose();
  }
}

function converting<Result>({ path }: ModelFolder, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof ConversionError)) throw cause;
    throw new ModelFolderError(`${path}: this model cannot be converted: ${cause.message}`, { cause });
  }
}

/** Converted weights keep their license. */
async function copyLicense(from: string, into: string): Promise<void> {
  await copyFile(join(from, LICENSE_FILE), join(into, LICENSE_FILE)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

const LICENSE_FILE = 'LICENSE';

/** Labels stay in their file; the metadata of a Teachable Machine export becomes a classifier.json. */
async function writeConfig({ path, config, labels, labelsFrom }: ModelFolder, into: string): Promise<void> {
  const own = labelsFrom === LABELS_FILE || labelsFrom === CONFIG_FILE;
  if (labelsFrom === LABELS_FILE) await copyFile(join(path, LABELS_FILE), join(into, LABELS_FILE));
  const written = own ? await ownConfig(path) : { ...config, license: config.license ?? 'not stated', labels };
  await writeFile(join(into, CONFIG_FILE), `${JSON.stringify(written, null, 2)}\n`);
}

async function ownConfig(path: string): Promise<unknown> {
  const text = await readOptionalModelFile(path, CONFIG_FILE);
  return withCurrentFieldNames(parseJson(text ?? '', join(path, CONFIG_FILE)));
}
