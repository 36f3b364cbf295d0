import { closeSync, openSync, writeSync } from 'node:fs';
import { isNoRoom } from './disk-room.ts';

export type WorkerLog = Disposable & { write(text: string): void };

/**
 * Opens the file of worker logs for appending. On a full disk lines are dropped, since work is more important than its
 * log.
 *
 * @param onNotice called with a line when the first text is dropped
 */
export function openWorkerLog(path: string, onNotice: (text: string) => void): WorkerLog {
  const file = openSync(path, 'a');
  let isLeavingOut = false;
  let isClosed = false;
  return {
    write(text) {
      // The last output of a process may arrive after its end.
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
