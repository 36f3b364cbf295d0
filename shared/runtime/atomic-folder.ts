import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { abandonedBeside, heartbeat, nameBeside, UNFINISHED } from './unfinished.ts';

const REPLACED = '.replaced-';

/**
 * Creates a folder with its content, unless it exists. The folder gets its name when it is complete, so a partial folder is never
 * visible, even if a process crashes while creating it.
 *
 * @param fill writes the content into the empty folder that it is given, which only its owner can access
 * @returns false when the folder exists already, or another process was faster: it then has other content than that of `fill`
 * @throws what `fill` throws, with nothing left behind
 */
export async function createFolderAtomically(place: string, fill: (folder: string) => Promise<void>): Promise<boolean> {
  if (existsSync(place)) return false;
  const unfinished = nameBeside(place);
  try {
    await fillBeside(place, unfinished, fill);
    await rename(unfinished, place);
    return true;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (existsSync(place)) return false;
    throw error;
  }
}

/**
 * Replaces a folder, which stays until the new one is complete.
 *
 * @param place an existing folder
 * @param check called right before the replacement: if it throws, the old folder is kept
 * @throws what `fill` and `check` throw, with the old folder in its place and nothing else left behind
 */
export async function replaceFolderAtomically(
  place: string,
  fill: (folder: string) => Promise<void>,
  check: () => Promise<void>,
): Promise<void> {
  const unfinished = nameBeside(place);
  const replaced = nameBeside(place, REPLACED);
  try {
    await fillBeside(place, unfinished, fill, [UNFINISHED, REPLACED]);
    await check();
    await rename(place, replaced);
    await rename(unfinished, place).catch(async (error: unknown) => {
      await rename(replaced, place);
      throw error;
    });
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await rm(replaced, { recursive: true, force: true });
}

/** Removes first what crashed processes have left, which may need the space. */
async function fillBeside(
  place: string,
  path: string,
  fill: (folder: string) => Promise<void>,
  kinds = [UNFINISHED],
): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  const { ctimeMs } = await stat(path);
  using _beating = heartbeat(path);
  for (const abandoned of kinds.flatMap((kind) => abandonedBeside(place, ctimeMs, kind))) {
    // It may belong to another user.
    await rm(abandoned, { recursive: true, force: true }).catch(() => {});
  }
  await fill(path);
}
