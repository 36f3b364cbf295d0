import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Never part of the path of an object: fauxqs writes a `%` in a key as `%25`. */
const UNFINISHED = '%new';

/** Whether the file is what a write that was broken off has left behind. */
export function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED);
}

/**
 * Writes a file whole or not at all: a process that is killed half-way and a disk that is full leave what was there.
 *
 * @param mode of a file that is new
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o666): void {
  const unfinished = path + UNFINISHED;
  try {
    writeFileSync(unfinished, content, { mode });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
