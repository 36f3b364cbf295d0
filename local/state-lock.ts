import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StateFolderError } from './state-folder-error.ts';

const BUSY = 5;

/**
 * Takes a state folder for this process alone. The lock is SQLite's on an empty file, so the system lets go of it
 * however the process ends: nothing is left behind that looks like a lock and is none.
 *
 * @returns gives the folder back
 * @throws {StateFolderError} when another process, or another service of this one, has it
 */
export function lockState(folder: string): () => void {
  const pidFile = join(folder, 'pid');
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== BUSY) throw error;
    throw new StateFolderError(
      `${folder} is in use by process ${readPid(pidFile)}: stop it, or choose another folder with --state-dir` +
        ' and another port with --port',
    );
  }
  tellPid(pidFile);
  return () => {
    rmSync(pidFile, { force: true });
    lock.close();
  };
}

function readPid(path: string): string {
  try {
    return /^\d+/.exec(readFileSync(path, 'utf8'))?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** The number is for people; the lock holds without. */
function tellPid(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch {
    // A full disk.
  }
}
