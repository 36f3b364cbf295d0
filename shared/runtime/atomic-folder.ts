import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const UNFINISHED = '.unfinished-';
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
  await removeLeftovers(place, UNFINISHED);
  const unfinished = `${place}${UNFINISHED}${process.pid}`;
  try {
    await makeFolder(unfinished, fill);
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
  await removeLeftovers(place, UNFINISHED);
  await removeLeftovers(place, REPLACED);
  const unfinished = `${place}${UNFINISHED}${process.pid}`;
  const replaced = `${place}${REPLACED}${process.pid}`;
  try {
    await makeFolder(unfinished, fill);
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

async function makeFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await fill(path);
}

/** Removes what crashed processes have left, by the process ids in the names; other names are not touched. */
async function removeLeftovers(place: string, kind: string): Promise<void> {
  const prefix = `${basename(place)}${kind}`;
  for (const name of await readdir(dirname(place))) {
    const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (!/^\d+$/.test(number)) continue;
    const pid = Number(number);
    if (pid !== process.pid && isAlive(pid)) continue;
    await rm(join(dirname(place), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
