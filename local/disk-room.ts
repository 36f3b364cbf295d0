import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NO_ROOM_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']);
/** SQLite's primary result codes: read-only, I/O error, full, cannot open (a journal). */
const NO_ROOM_RESULTS = new Set([8, 10, 13, 14]);
/** Enough for a part file and some messages, which are written when work continues. */
const ROOM_BYTES = 1024 * 1024;
/** How long the result of a disk check is reused. */
const LOOK_MS = 1_000;

/** Whether a write failed because of the disk and may succeed later. */
export function isNoRoom(error: unknown): boolean {
  if (!Error.isError(error)) return false;
  const { code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === 'ERR_SQLITE_ERROR') return NO_ROOM_RESULTS.has((errcode ?? 0) & 0xff);
  return code !== undefined && NO_ROOM_CODES.has(code);
}

/** Tracks whether the disk of a folder is full: from a failed write until one succeeds again. */
export class DiskRoom {
  readonly #probe: string;
  readonly #onChange: (text: string) => void;
  #isFull = false;
  #lookedAt = 0;

  /** @param onChange called with a line when the disk is full, and another when there is room again */
  constructor(folder: string, onChange: (text: string) => void) {
    this.#probe = join(folder, 'room.tmp');
    this.#onChange = onChange;
  }

  /** Call it for each write that failed with `isNoRoom`. */
  ranOut(): void {
    if (!this.#isFull) this.#onChange('the disk of the state folder is full: writes are refused until there is room');
    this.#isFull = true;
    this.#lookedAt = Date.now();
  }

  /** Costs nothing while writes succeed; after a failure it tries a write at most once per second. */
  hasRoom(): boolean {
    if (!this.#isFull) return true;
    if (Date.now() - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = Date.now();
    this.#isFull = !this.#canWrite();
    if (!this.#isFull) this.#onChange('there is room again in the state folder');
    return !this.#isFull;
  }

  #canWrite(): boolean {
    try {
      writeFileSync(this.#probe, Buffer.alloc(ROOM_BYTES, 1));
      return true;
    } catch {
      return false;
    } finally {
      rmSync(this.#probe, { force: true });
    }
  }
}
