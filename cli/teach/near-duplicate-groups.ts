import { eachNearDuplicatePair } from './near-duplicate-pairs.ts';
import type { TaughtPhoto } from './photo-features.ts';

/** Two nearly identical photos: other sizes or encodings, or frames of one video. */
export type NearDuplicatePair = { one: TaughtPhoto; other: TaughtPhoto /** A cosine, up to 1. */; likeness: number };

export type NearDuplicateGroups = {
  /** Groups of nearly identical photos, by index, which must stay in one part; each photo is in one group. */
  groups: number[][];
  /** Pairs within one label, most similar first; limited. */
  pairs: NearDuplicatePair[];
  /** How many there are. */
  pairCount: number;
  /** Pairs across two labels: one label is probably wrong. */
  acrossLabels: NearDuplicatePair[];
  /** Labels whose photos are so similar that a group had to be split. */
  divided: string[];
};

/** Maximum number of listed pairs; a video may have a million. */
const MAX_PAIRS = 1_000;
/** A larger group (as a fraction of a label) would leave too few photos for training or testing. */
const MAX_SHARE = 0.5;

/** Finds nearly identical photos. */
export function findNearDuplicates(photos: readonly TaughtPhoto[], length: number): NearDuplicateGroups {
  const groups = new Groups(photos.length);
  const pairs: NearDuplicatePair[] = [];
  const acrossLabels: NearDuplicatePair[] = [];
  let pairCount = 0;
  eachNearDuplicatePair(photos, length, (first, second, likeness) => {
    const [one, other] = [photos[first] as TaughtPhoto, photos[second] as TaughtPhoto];
    const list = one.label === other.label ? pairs : acrossLabels;
    if (list.length < MAX_PAIRS) list.push({ one, other, likeness });
    if (one.label !== other.label) return;
    groups.join(first, second);
    pairCount++;
  });
  for (const list of [pairs, acrossLabels]) list.sort((one, other) => other.likeness - one.likeness);
  return { ...divideLarge(groups.all(), photos), pairs, pairCount, acrossLabels };
}

/** Photos of a fixed camera are all similar: without splitting, the label could not be tested. */
function divideLarge(
  groups: number[][],
  photos: readonly TaughtPhoto[],
): Pick<NearDuplicateGroups, 'groups' | 'divided'> {
  const labelOf = (index: number | undefined) => photos[index as number]?.label as string;
  const counts = Map.groupBy(photos, ({ label }) => label);
  const isLarge = (group: readonly number[]) =>
    group.length > 1 && group.length > (counts.get(labelOf(group[0]))?.length ?? 0) * MAX_SHARE;
  return {
    groups: groups.flatMap((group) => (isLarge(group) ? group.map((index) => [index]) : [group])),
    divided: [...new Set(groups.filter(isLarge).map(([first]) => labelOf(first)))].sort(),
  };
}

/** Disjoint sets of indices (union-find). */
class Groups {
  readonly #parents: number[];

  constructor(count: number) {
    this.#parents = Array.from({ length: count }, (_, index) => index);
  }

  join(one: number, other: number): void {
    const [first, second] = [this.#root(one), this.#root(other)];
    this.#parents[Math.max(first, second)] = Math.min(first, second);
  }

  all(): number[][] {
    return [...Map.groupBy(this.#parents.keys(), (index) => this.#root(index)).values()];
  }

  #root(index: number): number {
    let at = index;
    while (this.#parents[at] !== at) {
      this.#parents[at] = this.#parents[this.#parents[at] as number] as number;
      at = this.#parents[at] as number;
    }
    return at;
  }
}
