import { MAX_FETCHES_PER_HOST } from '../contract/limits.ts';

/**
 * Gives out images in turns of their hosts, and no more than so many of one host at once: a slow
 * server holds up its own images and nobody else's.
 *
 * Invariant: a host is in `#waiting` as long as it has images that were not given out.
 */
export class HostSchedule<Item> {
  readonly #waiting = new Map<string, Item[]>();
  readonly #active = new Map<string, number>();

  /** @param items in the order in which images of one host are given out */
  constructor(items: readonly Item[], hostOf: (item: Item) => string) {
    // Reversed, so that taking the next one is a pop.
    for (const item of items.toReversed()) {
      const host = hostOf(item);
      const images = this.#waiting.get(host);
      if (images === undefined) this.#waiting.set(host, [item]);
      else images.push(item);
    }
  }

  /**
   * The next image that may be started, or undefined when none is left or all hosts that have
   * some are busy. `release` must be called with the host once the image is fetched.
   */
  take(): { host: string; item: Item } | undefined {
    for (const [host, items] of this.#waiting) {
      const active = this.#active.get(host) ?? 0;
      if (active >= MAX_FETCHES_PER_HOST) continue;
      const item = items.pop() as Item;
      this.#active.set(host, active + 1);
      // Deleting and setting again moves the host behind the others.
      this.#waiting.delete(host);
      if (items.length > 0) this.#waiting.set(host, items);
      return { host, item };
    }
    return undefined;
  }

  release(host: string): void {
    const active = (this.#active.get(host) ?? 0) - 1;
    if (active > 0) this.#active.set(host, active);
    else this.#active.delete(host);
  }

  /** Images that were never given out, in no particular order. */
  rest(): Item[] {
    return [...this.#waiting.values()].flat();
  }
}
