import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const perChannel = z.tuple([z.number(), z.number(), z.number()]);

const classifierSchema = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  /** Side of the square input, in pixels. */
  inputSize: z.int().min(1).max(4_096),
  /** Share of the shorter side that the centre square keeps. */
  crop: z.number().gt(0).max(1),
  interpolation: z.enum(['nearest', 'linear', 'cubic', 'lanczos3']),
  /** Per RGB channel, in units of 0 to 255; only for models that take float32. */
  mean: perChannel.optional(),
  std: perChannel.optional(),
  signature: z.string().min(1),
  /** The name of the output that holds one probability a class. */
  output: z.string().min(1),
  licence: z.string().min(1),
  /**
   * A folder in this one with a SavedModel of the same signature that computes in eight-bit integers; it
   * is loaded in place of the other where the processor has VNNI.
   */
  int8: z
    .string()
    .regex(/^[\w-]+$/, 'expected the name of a folder in the model folder')
    .optional(),
});

/** The content of `classifier.json`. */
export type ClassifierConfig = z.infer<typeof classifierSchema>;

/** A model folder that was read and checked: a SavedModel, its labels, its configuration. */
export type ModelFolder = { path: string; config: ClassifierConfig; labels: readonly string[] };

/** A model folder that does not hold what it should. */
export class ModelFolderError extends Error {
  override readonly name = 'ModelFolderError';
}

/** @throws {ModelFolderError} naming the file, the field, what was expected and what was found. */
export async function readModelFolder(path: string): Promise<ModelFolder> {
  const config = classifierSchema.safeParse(parseJson(await read(path, 'classifier.json'), path));
  if (!config.success) {
    throw new ModelFolderError(`${join(path, 'classifier.json')}:\n${z.prettifyError(config.error)}`);
  }
  const labels = (await read(path, 'labels.txt')).replace(/\r?\n$/, '').split(/\r?\n/);
  const emptyLine = labels.indexOf('');
  if (emptyLine !== -1) {
    throw new ModelFolderError(
      `${join(path, 'labels.txt')}: expected a label on each line, line ${emptyLine + 1} is empty`,
    );
  }
  return { path, config: config.data, labels };
}

async function read(folder: string, file: string): Promise<string> {
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (cause) {
    throw new ModelFolderError(
      `expected a model folder with saved_model.pb, labels.txt and classifier.json at ${folder}, ${file} cannot be read`,
      { cause },
    );
  }
}

function parseJson(text: string, folder: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelFolderError(`${join(folder, 'classifier.json')}: expected JSON`, { cause });
  }
}
