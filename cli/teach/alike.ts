import { eachAlikePair } from './alike-pairs.ts';
import type { TaughtPhoto } from './photo-features.ts';

/** Two photos that show nearly the same: other sizes or encodings of one, frames of one film. */
export type AlikePair = { one: TaughtPhoto; other: TaughtPhoto /** A cosine, up to 1. */; likeness: number };

export type Alike = {
  /** Photos in a group show nearly the same, and must not be divided; each photo is in one, by its index. */
  groups: number[][];
  /** Of one label, the most alike first; of many, some. */
  pairs: AlikePair[];
  /** How many there are. */
  pairCount: number;
  /** Of two labels: one of them is probably wrong. */
  acrossLabels: AlikePair[];
  /** Labels whose photos are so much alike that they had to be divided all the same. */
  divided: string[];
};

/** Pairs that are kept to be shown; a film may have a million. */
const MAX_PAIRS = 1_000;
/** A group of more of a label than this leaves too little to hold out, or to learn from. */
const MAX_SHARE = 0.5;

/** Finds photos that show nearly the same. */
export function findAlike(photos: readonly TaughtPhoto[], length: number): Alike {
  const groups = new Groups(photos.length);
  const pairs: AlikePair[] = [];
  const acrossLabels: AlikePair[] = [];
  let pairCount = 0;
  eachAlikePair(photos, length, (first, second, likeness) => {
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

/** A camera that never moves takes photos that are all alike: its label could not be tested at all. */
function divideLarge(groups: number[][], photos: readonly TaughtPhoto[]): Pick<Alike, 'groups' | 'divided'> {
  const labelOf = (index: number | undefined) => photos[index as number]?.label as string;
  const counts = Map.groupBy(photos, ({ label }) => label);
  const isLarge = (group: readonly number[]) =>
    group.length > 1 && group.length > (counts.get(labelOf(group[0]))?.length ?? 0) * MAX_SHARE;
  return {
    groups: groups.flatMap((group) => (isLarge(group) ? group.map((index) => [index]) : [group])),
    divided: [...new Set(groups.filter(isLarge).map(([first]) => labelOf(first)))].sort(),
  };
}

/** Sets of indices that grow together (union and find). */
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
