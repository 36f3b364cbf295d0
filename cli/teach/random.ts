import { createHash } from 'node:crypto';

/** A seeded random number generator: sfc32, which passes PractRand, see pracrand.sourceforge.net/RNG_engines.txt. */
export type Random = {
  /** A whole number from 0 up to and without `limit`. */
  below(limit: number): number;
};

/** Rounds that mix the seed in, as the author of sfc32 has them. */
const WARM_UP = 15;

/** @param seed any text; different texts give numbers that have nothing to do with each other */
export function createRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < WARM_UP; round++) next();
  return { below: (limit) => Math.floor((next() / 2 ** 32) * limit) };
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle<Items extends Int32Array | unknown[]>(items: Items, random: Random): Items {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}

/** A random sample of at most `most` items. */
export function sampleOf<Item>(items: readonly Item[], most: number, random: Random): Item[] {
  return shuffle([...items], random).slice(0, most);
}
