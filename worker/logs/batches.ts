import { setTimeout as delay } from 'node:timers/promises';

/** When a batch is handed on. */
export type BatchLimits<Item> = {
  maxItems: number;
  maxBytes: number;
  /** What an item adds to its batch. */
  bytesOf: (item: Item) => number;
  /** Whether an item may be in the same batch as its first one; any may without. */
  fits?: (first: Item, item: Item) => boolean;
  /** How long the first item of a batch waits for others. */
  maxWaitMs: number;
};

const WAITED = Symbol('waited');

/**
 * Gathers what comes into batches, in its order. An item that alone is more than a batch may have is a batch of its own.
 *
 * @throws what the source throws, once the batches before it have been taken
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

/** May fail while a batch is worked on: that is thrown when the next one is asked for. */
function nextOf<Item>(items: AsyncIterator<Item>): Promise<IteratorResult<Item>> {
  const next = items.next();
  next.catch(() => {});
  return next;
}
