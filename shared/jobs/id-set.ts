import { hash, randomBytes } from 'node:crypto';
import { wellFormedText } from '../contract/well-formed.ts';

const FIRST_CAPACITY = 1 << 12;
const MAX_LOAD = 0.7;
const SALT_BYTES = 8;
/** 64 bits. */
const HASH_DIGITS = 16;

/**
 * A set of ids that only counts them, in 12 to 24 bytes per id: it holds 64 bits of their hash. Among ten million ids,
 * two that differ are taken for the same with a probability of 3e-6; the salt keeps producers from choosing
 * such ids.
 *
 * Invariant: 0 marks a free slot, and no hash is 0.
 */
export class IdSet {
  readonly #salt = randomBytes(SALT_BYTES).toString('hex');
  #slots = new BigUint64Array(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    return this.#slots[this.#find(this.#hashOf(id))] !== 0n;
  }

  /** @returns whether it is new */
  add(id: string): boolean {
    if (this.#size >= this.#slots.length * MAX_LOAD) this.#grow();
    const hashed = this.#hashOf(id);
    const at = this.#find(hashed);
    if (this.#slots[at] !== 0n) return false;
    this.#slots[at] = hashed;
    this.#size++;
    return true;
  }

  #hashOf(id: string): bigint {
    // As text: a million small buffers are memory outside of the heap, which is given back late.
    return BigInt(`0x${hash('sha256', this.#salt + wellFormedText(id)).slice(0, HASH_DIGITS)}`) || 1n;
  }

  /** Where the hash is, or else where it belongs: linear probing. The number of slots is a power of two. */
  #find(hashed: bigint): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = Number(hashed & BigInt(mask));
    while (slots[at] !== 0n && slots[at] !== hashed) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new BigUint64Array(old.length * 2);
    for (const hashed of old) if (hashed !== 0n) this.#slots[this.#find(hashed)] = hashed;
  }
}
