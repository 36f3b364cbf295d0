import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Never part of the path of an object: fauxqs writes a `%` in a key as `%25`. */
const UNFINISHED = '%new';

/** Whether the file was left behind by an interrupted write. */
export function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED);
}

/**
 * Replaces a file atomically: after a kill or on a full disk, the old file stays.
 *
 * @param mode of a new file
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
