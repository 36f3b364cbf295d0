import { setTimeout as delay } from 'node:timers/promises';

/** When a batch is handed on. */
export type BatchLimits<Item> = {
  maxItems: number;
  maxBytes: number;
  /** What an item adds to its batch. */
  bytesOf: (item: Item) => number;
  /** How long the first item of a batch waits for others. */
  maxWaitMs: number;
};

const WAITED = Symbol('waited');

/** Gathers what comes into batches, in its order. An item that alone is more than a batch may have is a batch of its own. */
export async function* batched<Item>(source: AsyncIterable<Item>, limits: BatchLimits<Item>): AsyncGenerator<Item[]> {
  const items = source[Symbol.asyncIterator]();
  let next = items.next();
  for (let first = await next; first.done !== true; first = await next) {
    const batch = [first.value];
    let bytes = limits.bytesOf(first.value);
    const timer = new AbortController();
    const waited = delay(limits.maxWaitMs, WAITED, { signal: timer.signal }).catch(() => WAITED);
    for (next = items.next(); batch.length < limits.maxItems; next = items.next()) {
      const result = await Promise.race([next, waited]);
      if (result === WAITED || typeof result === 'symbol' || result.done === true) break;
      bytes += limits.bytesOf(result.value);
      if (bytes > limits.maxBytes) break;
      batch.push(result.value);
    }
    timer.abort();
    yield batch;
  }
}
