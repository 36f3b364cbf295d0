import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../contract/user-error.ts';

/** What does not fit into memory cannot be written to the temporary folder: no space, or no permission. */
export class SpillError extends UserError {
  override readonly name = 'SpillError';
}

/** Bytes per write: signals are handled in between, and a nearly full disk takes what it can. */
const WRITE_BYTES = 16 * 1_024 * 1_024;

/**
 * An unlinked temporary file: it is removed from its folder as soon as it is open, so the system frees it when the process
 * ends, however it ends.
 */
export class SpillFile implements Disposable {
  readonly #folder = tmpdir();
  readonly #descriptor: number;
  #length = 0;

  /** @throws {SpillError} */
  constructor() {
    this.#descriptor = this.#orSpillError(0, () => {
      const folder = mkdtempSync(join(this.#folder, 'labelqueue-'));
      try {
        return openSync(join(folder, 'fingerprints'), 'wx+', 0o600);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  /**
   * @returns where they begin
   * @throws {SpillError}
   */
  append(bytes: Uint8Array): number {
    const start = this.#length;
    this.#orSpillError(bytes.length, () => {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#descriptor, bytes, at, Math.min(WRITE_BYTES, bytes.length - at), start + at);
      }
    });
    this.#length += bytes.length;
    return start;
  }

  /** Fills the bytes from a place in the file. */
  read(into: Uint8Array, position: number): void {
    for (let at = 0; at < into.length; ) {
      const read = readSync(this.#descriptor, into, at, into.length - at, position + at);
      if (read === 0) throw new Error(`expected ${into.length} bytes at ${position} of a temporary file, got ${at}`);
      at += read;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #orSpillError<Result>(bytes: number, write: () => Result): Result {
    try {
      return write();
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const room = `${Math.ceil((this.#length + bytes) / 1e6)} MB`;
      throw new SpillError(
        `expected room for a temporary file of ${room} or more in ${this.#folder}, with hashes of the ids so far, got ${code}: ` +
          'free some, or name another folder with TMPDIR',
        { cause },
      );
    }
  }
}
