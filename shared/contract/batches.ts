/** What a batch may hold. */
export type BatchLimits = {
  maxItems: number;
  /** An item that alone exceeds it gets a batch of its own. */
  maxBytes: number;
  /** Bytes that each batch has besides its items; 0 by default. */
  fixedBytes?: number;
};

/** Counts the items and bytes of the current batch, and decides which item starts the next one. */
export class BatchFill {
  readonly #limits: BatchLimits;
  #items = 0;
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /**
   * Adds an item to the current batch, or starts a batch with it.
   *
   * @param size in bytes
   * @returns whether the item is the first of a batch
   */
  add(size: number): boolean {
    const { maxItems, maxBytes, fixedBytes = 0 } = this.#limits;
    const isFirst = this.#items === 0 || this.#items === maxItems || this.#bytes + size > maxBytes;
    if (isFirst) {
      this.#items = 0;
      this.#bytes = fixedBytes;
    }
    this.#items++;
    this.#bytes += size;
    return isFirst;
  }
}

/**
 * Packs items into batches, in order, each as full as the limits allow.
 *
 * @param sizeOf the size of an item in bytes
 */
export async function* inBatches<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limits: BatchLimits,
  sizeOf: (item: Item) => number,
): AsyncGenerator<Item[]> {
  const fill = new BatchFill(limits);
  let batch: Item[] = [];
  for await (const item of items) {
    if (fill.add(sizeOf(item)) && batch.length > 0) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length > 0) yield batch;
}
