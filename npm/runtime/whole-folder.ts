import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFolderAtomically } from '../../shared/runtime/atomic-folder.ts';

/**
 * Makes a folder unless it is there. It gets its name when it is complete, so a process that is killed meanwhile leaves nothing
 * that counts. Of two processes that make it at once, one wins, and the other one uses that.
 *
 * @param fill writes into the folder that it is given, which is empty
 * @throws what `fill` throws, with nothing left behind
 */
export async function wholeFolder(place: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(place)) return;
  await mkdir(dirname(place), { recursive: true });
  await createFolderAtomically(place, fill);
}
