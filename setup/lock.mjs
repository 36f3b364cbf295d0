// @ts-check

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { SetupError } from './tool.mjs';

const LOCK = `import fcntl
try: fcntl.flock(3, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: print(flush=True); fcntl.flock(3, fcntl.LOCK_EX)`;

/**
 * Waits until no other process has the lock. The system takes it back when this process ends, however that happens: it belongs
 * to the open file, which Python locks (Node cannot) and this process keeps open. The file is created if it is missing, and
 * `onWait` called once if another process has the lock.
 *
 * @type {(path: string, onWait?: () => void) => Promise<() => void>} resolves to what releases it
 * @throws {SetupError} when Python is missing, or cannot lock a file in that folder
 */
export async function takeLock(path, onWait = () => {}) {
  const file = openSync(path, 'a');
  const python = spawn('python3', ['-c', LOCK], { stdio: ['ignore', 'pipe', 'ignore', file] });
  python.stdout?.once('data', onWait);
  const [exitCode] = await once(python, 'exit').catch(() => [undefined]);
  if (exitCode === 0) return () => closeSync(file);
  closeSync(file);
  throw new SetupError(`python3 could not lock ${path}. Is python3 on PATH, and the folder on a local disk?`);
}
