import { hash } from 'node:crypto';
import { wellFormedText } from './well-formed.ts';

/** Bits of a sum: 32 digits of a file name. */
const BITS = 128;

/**
 * An incremental, order-independent fingerprint of a set of ids: the sum of their SHA-256, modulo 2^128. The sums of disjoint
 * sets add up to the sum of their union, so part files whose counts and sums add up to those of their job hold each of its
 * images exactly once. Another set of as many ids has the same sum with a probability of 2^-128. Colliding ids can be computed
 * (Wagner's generalized birthday attack), so a sum is no protection against a producer that wants to deceive itself.
 */
export class IdSum {
  #sum = 0n;

  add(id: string): void {
    this.#sum += hashOf(id);
  }

  /** In 32 hexadecimal digits. */
  toString(): string {
    return formatSum(this.#sum);
  }
}

/** The first 128 bits of the SHA-256 of the id as it is written in lines. */
function hashOf(id: string): bigint {
  return BigInt(`0x${hash('sha256', wellFormedText(id), 'hex').slice(0, BITS / 4)}`);
}

/** The sum of disjoint sets, from their sums; modulo 2^128. */
export function addSums(sums: Iterable<string>): string {
  let total = 0n;
  for (const sum of sums) total += BigInt(`0x${sum}`);
  return formatSum(total);
}

/** The sum of a set without a subset. */
export function subtractSum(sum: string, part: string): string {
  return formatSum(BigInt(`0x${sum}`) - BigInt(`0x${part}`));
}

function formatSum(sum: bigint): string {
  return BigInt.asUintN(BITS, sum)
    .toString(16)
    .padStart(BITS / 4, '0');
}
