import { hash, randomBytes } from 'node:crypto';
import { wellFormedText } from '../contract/well-formed.ts';
import { SpillingTable } from './fingerprints/spilling-table.ts';

const SALT_BYTES = 8;
/** 64 bits, in two numbers. */
const FIELDS = 2;
const DIGITS = 8;

/**
 * A set of ids that holds only 64 bits of their hash: in 12 to 24 bytes of memory per id, and beyond some millions in a
 * temporary file. Among ten million ids, any two collide with a probability of 3e-6; the salt prevents producers from
 * choosing colliding ids.
 *
 * Dispose of it to free the file before the process ends.
 */
export class IdSet implements Disposable {
  readonly #salt = randomBytes(SALT_BYTES).toString('hex');
  readonly #hashes: SpillingTable;

  /** @param slotsInMemory a power of two; when 70 % are in use, they are moved to a temporary file */
  constructor(slotsInMemory?: number) {
    this.#hashes = new SpillingTable(FIELDS, slotsInMemory);
  }

  get size(): number {
    return this.#hashes.size;
  }

  has(id: string): boolean {
    return this.#hashes.find(...this.#hashOf(id)) !== undefined;
  }

  /**
   * @returns whether it is new
   * @throws {SpillError} when there is no room for the temporary file
   */
  add(id: string): boolean {
    const [high, low] = this.#hashOf(id);
    if (this.#hashes.find(high, low) !== undefined) return false;
    this.#hashes.insert([high, low]);
    return true;
  }

  [Symbol.dispose](): void {
    this.#hashes[Symbol.dispose]();
  }

  #hashOf(id: string): [high: number, low: number] {
    // As text: a million small buffers are memory outside of the heap, which is given back late.
    const digits = hash('sha256', this.#salt + wellFormedText(id));
    return [Number.parseInt(digits.slice(0, DIGITS), 16) || 1, Number.parseInt(digits.slice(DIGITS, 2 * DIGITS), 16)];
  }
}
