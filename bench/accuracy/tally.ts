/** The classes of an image, best first, as one precision has them. */
export type Ranking = readonly number[];

/** What one precision has got right so far, and where it differs from floats. */
export type Accuracy = {
  name: string;
  images: number;
  /** Whose best class is right. */
  top1: number;
  /** Whose five best classes have a right one among them. */
  top5: number;
  /** With the same best class as in floats. */
  asFloats: number;
};

/** Counts, image by image, what each precision says of the same images. */
export class AccuracyTally {
  readonly #floats: string;
  readonly #byName = new Map<string, Accuracy>();

  /** @param floats the precision that the others are compared with */
  constructor(names: readonly string[], floats: string) {
    this.#floats = floats;
    for (const name of names) this.#byName.set(name, { name, images: 0, top1: 0, top5: 0, asFloats: 0 });
  }

  /** @param rankings five classes or more, by precision */
  add(right: ReadonlySet<number>, rankings: ReadonlyMap<string, Ranking>): void {
    const [bestInFloats] = rankings.get(this.#floats) ?? [];
    for (const [name, ranking] of rankings) {
      const counts = this.#byName.get(name);
      if (counts === undefined) continue;
      const [best] = ranking;
      counts.images++;
      if (best !== undefined && right.has(best)) counts.top1++;
      if (ranking.slice(0, 5).some((classId) => right.has(classId))) counts.top5++;
      if (best === bestInFloats) counts.asFloats++;
    }
  }

  get all(): Accuracy[] {
    return [...this.#byName.values()];
  }
}

/** As a Markdown table. */
export function accuracyTable(all: readonly Accuracy[]): string {
  return [
    '| precision | images | best class right | right in five | same best class as in floats |',
    '|---|---|---|---|---|',
    ...all.map(({ name, images, top1, top5, asFloats }) => {
      const cell = (count: number) => `${count} (${images === 0 ? '-' : ((count / images) * 100).toFixed(1)} %)`;
      return `| ${name} | ${images} | ${cell(top1)} | ${cell(top5)} | ${cell(asFloats)} |`;
    }),
    '',
  ].join('\n');
}
