import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const UNFINISHED = '.unfinished-';

/**
 * Fills a folder, unless it is there. It gets its name when it is whole: whoever finds it finds all of
 * it, whatever died while it was being made.
 *
 * @param fill writes into the folder that it is given, which is empty
 * @throws what `fill` throws, with nothing left behind
 */
export async function makeWholeFolder(place: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(place)) return;
  await removeLeftovers(place);
  const unfinished = `${place}${UNFINISHED}${process.pid}`;
  await mkdir(unfinished, { mode: 0o700 });
  try {
    await fill(unfinished);
    await rename(unfinished, place);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(place)) throw error;
  }
}

/** What processes that died have left, so that it takes no room for ever. */
async function removeLeftovers(place: string): Promise<void> {
  const prefix = `${basename(place)}${UNFINISHED}`;
  for (const name of await readdir(dirname(place))) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length));
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
