import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SAMPLES } from './project-folder.ts';

/** The paths of the sample photos that are intact. */
export async function samplePhotos(): Promise<string[]> {
  const folder = join(SAMPLES, 'photos');
  const names = (await readdir(folder)).sort();
  return names.filter((name) => !/^(not-an-image|truncated)/.test(name)).map((name) => join(folder, name));
}
