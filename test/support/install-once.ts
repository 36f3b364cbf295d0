import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../../setup/lock.mjs';
import { createFolderAtomically } from '../../shared/runtime/atomic-folder.ts';

const TOOLS = join(import.meta.dirname, '../../.labelqueue');

/**
 * Programs that tests need, in a folder of this project: nothing of the user's own installations changes. Installed when a test
 * asks for them for the first time; other tests wait meanwhile. The folder appears whole or not at all.
 *
 * @param kind the folder of `.labelqueue/` for programs that are installed like this
 * @param name of the folder in it, with the version
 * @param install given the path of an empty folder
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
  await createFolderAtomically(place, install).finally(release);
  return place;
}
