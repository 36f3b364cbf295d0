import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { ClassifierConfig } from './classifier-config.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { parseJson } from './read-model-file.ts';

/** The metadata of a Teachable Machine export. */
export const METADATA_FILE = 'metadata.json';

/** Unknown fields are allowed: versions have added some. */
const metadataSchema = z.object({
  labels: z.array(z.string().min(1)).min(1),
  imageSize: z.int().min(1).max(4_096).default(224),
  modelName: z.string().min(1).optional(),
});

/** Teachable Machine feeds its model x / 127 - 1: white is 1.008 (`capture` in @teachablemachine/image). */
const HALF = 127;

/**
 * The configuration of a Teachable Machine export. Its web page takes the whole centre square and scales it bilinearly on a canvas;
 * an export has no version, so the digest of its files is used.
 *
 * @param text the content of `metadata.json`
 * @throws {ModelFolderError} naming each invalid field
 */
export async function teachableMachineConfig(
  folder: string,
  text: string,
): Promise<{ config: ClassifierConfig; labels: readonly string[] }> {
  const path = join(folder, METADATA_FILE);
  const metadata = metadataSchema.safeParse(parseJson(text, path));
  if (!metadata.success) {
    throw new ModelFolderError(
      `${path}: expected that of a Teachable Machine export, since there is no classifier.json:\n` +
        z.prettifyError(metadata.error),
    );
  }
  const { labels, imageSize, modelName } = metadata.data;
  return {
    config: {
      name: modelName ?? basename(folder),
      version: await digestOf(folder),
      inputSize: imageSize,
      crop: 1,
      interpolation: 'linear',
      mean: [HALF, HALF, HALF],
      std: [HALF, HALF, HALF],
      activation: 'none',
    },
    labels,
  };
}

const VERSION_DIGITS = 12;

/** Of the names and contents of the model's files, whatever else lies in the folder. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) {
    if (!/\.(json|bin)$/.test(name)) continue;
    hash.update(`${name}\0`);
    for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk);
  }
  return hash.digest('hex').slice(0, VERSION_DIGITS);
}
