import type { TaughtPhoto } from './photo-features.ts';
import { type Random, shuffle } from './random.ts';

/** Training photos and test photos. */
export type Split = { training: TaughtPhoto[]; heldOut: TaughtPhoto[] };

/**
 * Draws a fraction of the photos of each label as test photos, in whole groups. Each label has at least one photo in
 * either part.
 *
 * @param groups of indices, each of one label, see `findNearDuplicates`
 */
export function splitPhotos(
  photos: readonly TaughtPhoto[],
  groups: readonly (readonly number[])[],
  share: number,
  random: Random,
): Split {
  const ofLabel = Map.groupBy(groups, ([first]) => photos[first as number]?.label as string);
  const heldOut = new Set<number>();
  for (const [, own] of [...ofLabel].sort(([one], [other]) => (one < other ? -1 : 1))) {
    for (const index of chosen([...own], share, random)) heldOut.add(index);
  }
  return {
    training: photos.filter((_, index) => !heldOut.has(index)),
    heldOut: photos.filter((_, index) => heldOut.has(index)),
  };
}

function chosen(groups: (readonly number[])[], share: number, random: Random): number[] {
  const total = groups.reduce((sum, { length }) => sum + length, 0);
  const target = Math.max(1, Math.round(total * share));
  const taken: number[] = [];
  // Small groups first while nothing is held out yet: of two groups, one is held out whatever its size.
  const order = shuffle(groups, random);
  for (const group of order) {
    if (taken.length + group.length <= target) taken.push(...group);
  }
  if (taken.length > 0) return taken.length < total ? taken : taken.slice(1);
  return [...(order.toSorted((one, other) => one.length - other.length)[0] as readonly number[])];
}
