import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type BatchSlot, InferenceBatcher } from '../../shared/classifier/inference-batcher.ts';
import { INFERENCE_BATCH_SIZE, INFERENCE_MAX_WAIT_MS } from '../../shared/contract/limits.ts';
import type { Label } from '../../shared/contract/result-line.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A picture of one byte, and the label that the model below gives to it. */
function picture(number: number): Uint8Array {
  return Uint8Array.of(number);
}
function labeled(number: number): Label[] {
  return [{ label: `picture ${number}`, score: 1, classId: number }];
}

/** Batches for a model that labels a picture with its byte; `sizes` are those of the batches that ran. */
function createBatches(reserved: number) {
  const sizes: number[] = [];
  const batches = new InferenceBatcher((images) => {
    sizes.push(images.length);
    return images.map(([number = -1]) => labeled(number));
  });
  return { sizes, slots: Array.from({ length: reserved }, () => batches.reserve()) };
}

function fillAll(slots: readonly BatchSlot<Label[]>[], from = 0): Promise<Label[]>[] {
  return slots.map((slot, index) => slot.submit(picture(from + index)));
}

describe('a batch runs', () => {
  test('when it is full', async () => {
    const { sizes, slots } = createBatches(INFERENCE_BATCH_SIZE + 5);
    const full = fillAll(slots.slice(0, INFERENCE_BATCH_SIZE));
    expect(sizes).toEqual([INFERENCE_BATCH_SIZE]);
    expect(await Promise.all(full)).toEqual(Array.from({ length: INFERENCE_BATCH_SIZE }, (_, at) => labeled(at)));
  });

  test('when every announced image has arrived', async () => {
    const { sizes, slots } = createBatches(3);
    const all = fillAll(slots);
    expect(sizes).toEqual([3]);
    expect(await Promise.all(all)).toEqual([labeled(0), labeled(1), labeled(2)]);
  });

  test('when the last announced image is cancelled', async () => {
    const { sizes, slots } = createBatches(3);
    const [first, second] = fillAll(slots.slice(0, 2));
    expect(sizes).toEqual([]);
    slots[2]?.release();
    expect(sizes).toEqual([2]);
    expect([await first, await second]).toEqual([labeled(0), labeled(1)]);
  });

  test('when its first image has waited for the maximum time', async () => {
    const { sizes, slots } = createBatches(5);
    const waiting = fillAll(slots.slice(0, 1));
    jest.advanceTimersByTime(INFERENCE_MAX_WAIT_MS - 1);
    waiting.push(...fillAll(slots.slice(1, 2), 1));
    expect(sizes).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(sizes).toEqual([2]);
    expect(await Promise.all(waiting)).toEqual([labeled(0), labeled(1)]);
  });
});

test('a batch that ran leaves no timer behind', () => {
  const { slots } = createBatches(INFERENCE_BATCH_SIZE + 1);
  fillAll(slots.slice(0, INFERENCE_BATCH_SIZE));
  expect(jest.getTimerCount()).toBe(0);
});

test('images beyond a full batch wait for the next one', async () => {
  const { sizes, slots } = createBatches(INFERENCE_BATCH_SIZE + 2);
  const all = fillAll(slots);
  expect(sizes).toEqual([INFERENCE_BATCH_SIZE, 2]);
  const labels = await Promise.all(all);
  expect(labels.at(-1)).toEqual(labeled(INFERENCE_BATCH_SIZE + 1));
});

test('cancelling before anything has arrived runs nothing', () => {
  const { sizes, slots } = createBatches(2);
  for (const slot of slots) slot.release();
  expect(sizes).toEqual([]);
});

test('an image that the model refuses fails alone, and the others of its batch get their labels', async () => {
  const batches = new InferenceBatcher((images) => {
    if (images.some(([number]) => number === 1)) throw new Error('TensorFlow refused');
    return images.map(([number = -1]) => labeled(number));
  });
  const outcomes = await Promise.allSettled(fillAll([batches.reserve(), batches.reserve(), batches.reserve()]));
  expect(outcomes).toEqual([
    { status: 'fulfilled', value: labeled(0) },
    { status: 'rejected', reason: new Error('TensorFlow refused') },
    { status: 'fulfilled', value: labeled(2) },
  ]);
});

test('a model that refuses everything rejects every image, and the next batch is not affected', async () => {
  let broken = true;
  const batches = new InferenceBatcher((images) => {
    if (broken) throw new Error('TensorFlow refused');
    return images.map(() => labeled(1));
  });
  const slots = [batches.reserve(), batches.reserve()];
  const outcomes = await Promise.allSettled(fillAll(slots));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  broken = false;
  await expect(batches.reserve().submit(picture(1))).resolves.toEqual(labeled(1));
});

test('a slot cannot be used twice', async () => {
  const { slots } = createBatches(2);
  const [slot] = slots as [BatchSlot<Label[]>, BatchSlot<Label[]>];
  slot.release();
  expect(() => slot.release()).toThrow('twice');
  expect(() => slot.submit(picture(0))).toThrow('twice');
});
