import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StateFolderError } from './state-folder-error.ts';

const BUSY = 5;

/**
 * Locks a state folder for this process. The lock is SQLite's on an empty file, so the system releases it however the
 * process ends: there are no stale locks.
 *
 * @returns releases the lock
 * @throws {StateFolderError} when another process, or another service of this process, has locked it
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
  writePid(pidFile);
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

/** The number is informative; the lock works without it. */
function writePid(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch {
    // A full disk.
  }
}
