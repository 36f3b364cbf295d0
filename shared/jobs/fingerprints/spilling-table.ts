import { FingerprintTable } from './fingerprint-table.ts';
import { SpilledTables } from './spilled-tables.ts';

/** 128 MiB of records of four numbers: 5.9 million. */
const MAX_SLOTS_IN_MEMORY = 1 << 23;

/**
 * Any number of records by key: beyond a limit they are moved to a temporary file, a table at a time, and a filter of 1.4
 * bytes per record finds them. A hundred million records take less than 400 MB of memory.
 *
 * Keys are two unsigned 32-bit numbers of a hash, of which the first is not 0. Dispose of it to free the file before the process ends.
 */
export class SpillingTable implements Disposable {
  readonly #fields: number;
  readonly #maxSlots: number;
  readonly #inMemory: FingerprintTable;
  #spilled: SpilledTables | undefined;
  #spilledSize = 0;

  /**
   * @param fields numbers per record, of which the first two are the key
   * @param maxSlots of the table in memory, a power of two
   */
  constructor(fields: number, maxSlots: number = MAX_SLOTS_IN_MEMORY) {
    this.#fields = fields;
    this.#maxSlots = maxSlots;
    this.#inMemory = new FingerprintTable(fields, maxSlots);
  }

  get size(): number {
    return this.#spilledSize + this.#inMemory.size;
  }

  /** The record of a key, until the next call. */
  find(high: number, low: number): Uint32Array | undefined {
    return this.#inMemory.find(high, low) ?? this.#spilled?.find(high, low);
  }

  /**
   * @param record of a key that is not in the table
   * @throws {SpillError}
   */
  insert(record: readonly number[]): void {
    if (this.#inMemory.isFull) this.#spill();
    this.#inMemory.insert(record);
  }

  [Symbol.dispose](): void {
    this.#spilled?.[Symbol.dispose]();
    this.#spilled = undefined;
  }

  #spill(): void {
    this.#spilled ??= new SpilledTables(this.#fields, this.#maxSlots);
    this.#spilled.add(this.#inMemory.words);
    this.#spilledSize += this.#inMemory.size;
    this.#inMemory.clear();
  }
}
