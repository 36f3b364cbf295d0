import { setTimeout as delay } from 'node:timers/promises';

/** When a batch is complete. */
export type BatchLimits<Item> = {
  maxItems: number;
  maxBytes: number;
  /** The size of an item. */
  bytesOf: (item: Item) => number;
  /** Whether an item may be in the same batch as the first one; by default always. */
  fits?: (first: Item, item: Item) => boolean;
  /** How long the first item of a batch waits for others. */
  maxWaitMs: number;
};

const WAITED = Symbol('waited');

/**
 * Gathers items into batches, in order. An item that exceeds the limits alone gets a batch of its own.
 *
 * @throws the error of the source, after the batches before it
 */
export async function* batched<Item>(source: AsyncIterable<Item>, limits: BatchLimits<Item>): AsyncGenerator<Item[]> {
  const { fits = () => true } = limits;
  const items = source[Symbol.asyncIterator]();
  let next = nextOf(items);
  for (let first = await next; first.done !== true; first = await next) {
    const batch = [first.value];
    let bytes = limits.bytesOf(first.value);
    const timer = new AbortController();
    const waited = delay(limits.maxWaitMs, WAITED, { signal: timer.signal }).catch(() => WAITED);
    for (next = nextOf(items); batch.length < limits.maxItems; next = nextOf(items)) {
      const result = await Promise.race([next, waited]);
      if (result === WAITED || typeof result === 'symbol' || result.done === true) break;
      bytes += limits.bytesOf(result.value);
      if (bytes > limits.maxBytes || !fits(first.value, result.value)) break;
      batch.push(result.value);
    }
    timer.abort();
    yield batch;
  }
}

/** May reject while a batch is processed: thrown when the next batch is requested. */
function nextOf<Item>(items: AsyncIterator<Item>): Promise<IteratorResult<Item>> {
  const next = items.next();
  next.catch(() => {});
  return next;
}
