import { join } from 'node:path';
import { createFolderAtomically } from '../../shared/runtime/atomic-folder.ts';
import { cacheFolder, checkOwnFolder } from '../../shared/runtime/user-folders.ts';

/**
 * Makes a folder in the user's cache unless it is there. It gets its name when it is complete, so a process that is killed
 * meanwhile leaves nothing that counts. Of two processes that make it at once, one wins, and the other one uses that.
 *
 * @param fill writes into the folder that it is given, which is empty
 * @returns the path of the folder, which no other user can change
 * @throws {CacheFolderError} when the cache cannot be used
 * @throws what `fill` throws, with nothing left behind
 */
export async function cachedFolder(name: string, fill: (unfinished: string) => Promise<void>): Promise<string> {
  const place = join(cacheFolder(), name);
  await createFolderAtomically(place, fill);
  checkOwnFolder(place);
  return place;
}
