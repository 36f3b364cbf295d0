/** Keeps the items with the highest scores, best first. */
export class Best<Item> {
  readonly #most: number;
  readonly #items: { score: number; item: Item }[] = [];

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most;
  }

  /** The lowest score that is kept; lower ones need not be added. */
  get worst(): number {
    return this.#items.length < this.#most ? Number.NEGATIVE_INFINITY : (this.#items.at(-1)?.score ?? 0);
  }

  /** @returns whether it is among the best so far; of equal scores the earlier one is */
  add(score: number, item: Item): boolean {
    if (score <= this.worst) return false;
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#items[middle]?.score ?? 0) >= score) low = middle + 1;
      else high = middle;
    }
    this.#items.splice(low, 0, { score, item });
    if (this.#items.length > this.#most) this.#items.pop();
    return true;
  }

  items(): readonly { score: number; item: Item }[] {
    return this.#items;
  }
}
