import { closeSync, openSync, writeSync } from 'node:fs';
import { isNoRoom } from './disk-room.ts';

export type WorkerLog = Disposable & { write(text: string): void };

/**
 * Opens the file that takes what workers log, to add to it. On a full disk lines are left out: a log is not worth the
 * work that goes on.
 *
 * @param onNotice is given a line when the first text is left out
 */
export function openWorkerLog(path: string, onNotice: (text: string) => void): WorkerLog {
  const file = openSync(path, 'a');
  let isLeavingOut = false;
  let isClosed = false;
  return {
    write(text) {
      // The last words of a process may come after its end.
      if (isClosed) return;
      try {
        writeSync(file, text);
        isLeavingOut = false;
      } catch (error) {
        if (!isNoRoom(error)) throw error;
        if (!isLeavingOut) onNotice(`${path}: no space left on the disk; worker logs are dropped until there is room`);
        isLeavingOut = true;
      }
    },
    [Symbol.dispose]() {
      isClosed = true;
      closeSync(file);
    },
  };
}
