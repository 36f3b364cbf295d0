import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../../setup/lock.mjs';

const TOOLS = join(import.meta.dirname, '../../.labelqueue');

/**
 * Programs that tests need, in a folder of this project: nothing of the user's own installations changes. Installed when a test
 * asks for them for the first time; other tests wait meanwhile. The folder appears whole or not at all.
 *
 * @param kind the folder of `.labelqueue/` for programs that are installed like this
 * @param name of the folder in it, with the version
 * @param install given the path of the folder to make
 * @returns the path of the folder
 */
export async function installOnce(
  kind: string,
  name: string,
  install: (unfinished: string) => Promise<void>,
): Promise<string> {
  const folder = join(TOOLS, kind);
  const place = join(folder, name);
  if (existsSync(place)) return place;
  await mkdir(folder, { recursive: true });
  const release = await takeLock(join(folder, 'install.lock'));
  try {
    if (!existsSync(place)) await makeWhole(place, install);
  } finally {
    release();
  }
  return place;
}

async function makeWhole(place: string, install: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${place}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await install(unfinished);
  await rename(unfinished, place);
}
