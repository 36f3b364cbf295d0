import { SlicedFilter } from './sliced-filter.ts';
import { SpillFile } from './spill-file.ts';

/** Filter positions per slot of a table. */
const POSITIONS_PER_SLOT = 8;
/** Slots per read: in a table that is 70 % full, hardly any search goes further. */
const SLOTS_PER_READ = 64;

/**
 * Full tables in a temporary file, each with its layout in memory. A record is found with one read from the table that the
 * filter names, since the key determines its position.
 */
export class SpilledTables implements Disposable {
  readonly #fields: number;
  readonly #slots: number;
  readonly #file = new SpillFile();
  readonly #filter: SlicedFilter;
  readonly #starts: number[] = [];
  readonly #window: Uint32Array;
  readonly #windowBytes: Uint8Array;

  /**
   * @param slots of each table
   * @throws {SpillError}
   */
  constructor(fields: number, slots: number) {
    this.#fields = fields;
    this.#slots = slots;
    this.#filter = new SlicedFilter(slots * POSITIONS_PER_SLOT);
    this.#window = new Uint32Array(Math.min(SLOTS_PER_READ, slots) * fields);
    this.#windowBytes = new Uint8Array(this.#window.buffer);
  }

  /**
   * @param words of a `FingerprintTable`
   * @throws {SpillError}
   */
  add(words: Uint32Array<ArrayBuffer>): void {
    this.#starts.push(this.#file.append(new Uint8Array(words.buffer, words.byteOffset, words.byteLength)));
    const table = this.#starts.length - 1;
    for (let at = 0; at < words.length; at += this.#fields) {
      if (words[at] !== 0) this.#filter.add(table, words[at] as number, words[at + 1] as number);
    }
  }

  /** The record of a key, until the next search. */
  find(high: number, low: number): Uint32Array | undefined {
    for (const table of this.#filter.tablesOf(high, low)) {
      const found = this.#findIn(this.#starts[table] as number, high, low);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Some slots after the other from the first one where it may be; after the last slot comes the first one. */
  #findIn(start: number, high: number, low: number): Uint32Array | undefined {
    const bytesPerSlot = this.#fields * Uint32Array.BYTES_PER_ELEMENT;
    const slotsInWindow = this.#window.length / this.#fields;
    for (let slot = low & (this.#slots - 1); ; ) {
      const slots = Math.min(slotsInWindow, this.#slots - slot);
      this.#file.read(this.#windowBytes.subarray(0, slots * bytesPerSlot), start + slot * bytesPerSlot);
      const at = this.#search(slots * this.#fields, high, low);
      if (at !== undefined) return this.#window[at] === 0 ? undefined : this.#window.subarray(at, at + this.#fields);
      slot = (slot + slots) % this.#slots;
    }
  }

  /** Undefined when the search must continue after the slots that were read. */
  #search(length: number, high: number, low: number): number | undefined {
    const window = this.#window;
    for (let at = 0; at < length; at += this.#fields) {
      if (window[at] === 0 || (window[at] === high && window[at + 1] === low)) return at;
    }
    return undefined;
  }
}
