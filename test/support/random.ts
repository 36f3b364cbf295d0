import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Chance that a seed repeats. */
export type Random = {
  /** A whole number, both bounds included. */
  between(from: number, to: number): number;
  /** @param probability 0 to 1 */
  happens(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
};

/**
 * @param stream numbers of the same seed that have nothing to do with each other: what draws from
 *   one does not shift what comes out of another
 */
export function createRandom(seed: number, stream = 0): Random {
  const generator = xoroshiro128plus(seed);
  for (let jumps = 0; jumps < stream; jumps++) generator.jump();
  return {
    between: (from, to) => uniformInt(generator, from, to),
    happens: (probability) => uniformFloat64(generator) < probability,
    pick: (items) => items[uniformInt(generator, 0, items.length - 1)] as (typeof items)[number],
  };
}
