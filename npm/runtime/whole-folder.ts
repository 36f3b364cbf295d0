import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { takeLock } from '../../setup/setup-lock.mjs';
import { createFolderAtomically } from '../../shared/runtime/atomic-folder.ts';

/**
 * Makes a folder unless it is there, one process at a time. It gets its name when it is whole, so a process that is killed
 * meanwhile leaves nothing that counts.
 *
 * @param fill writes into the folder that it is given, which is empty
 * @param onWait called once when another process is making the folder
 * @throws what `fill` throws, with nothing left behind
 */
export async function wholeFolder(
  place: string,
  fill: (unfinished: string) => Promise<void>,
  onWait: () => void,
): Promise<void> {
  if (existsSync(place)) return;
  await mkdir(dirname(place), { recursive: true });
  const release = await takeLock(`${place}.lock`, { signal: new AbortController().signal, onWait });
  try {
    await createFolderAtomically(place, fill);
  } finally {
    release();
  }
}
