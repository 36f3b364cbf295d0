import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { type OpenModel, openModel } from '../../shared/classifier/model/open-model.ts';

/** A model of a folder in one of its precisions; `reason` where it does not run on this processor. */
export type Precision = { name: string } & ({ model: OpenModel } | { reason: string });

/** What the model of the folder itself is called. */
export const FLOATS = 'float32';

/**
 * The model of a folder, and those in its folders: whatever has a SavedModel there is one of its precisions, and takes the same
 * pixels.
 */
export async function precisionsOf(folder: ModelFolder): Promise<Precision[]> {
  const entries = await readdir(folder.path, { withFileTypes: true });
  const inner = entries
    .filter((entry) => entry.isDirectory() && existsSync(join(folder.path, entry.name, 'saved_model.pb')))
    .map(({ name }) => name)
    .sort();
  const precisions = [await opened(FLOATS, folder)];
  for (const name of inner) precisions.push(await opened(name, { ...folder, path: join(folder.path, name) }));
  return precisions;
}

async function opened(name: string, folder: ModelFolder): Promise<Precision> {
  try {
    return { name, model: await openModel(folder) };
  } catch (error) {
    return { name, reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}
