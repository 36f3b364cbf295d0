import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_HOPS, MAX_MESSAGE_BYTES, MIN_IMAGES_FOR_OWN_PART } from '../../shared/contract/limits.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { MESSAGE_SIZES, messageSizeFor } from '../../shared/contract/message-size.ts';
import { MessageCount, packMessages, SizeInMessage } from '../../shared/contract/pack-messages.ts';

test.each([
  [1, 32],
  [16_383, 32],
  [16_384, 64],
  [100_000, 125],
  [999_999, 250],
  [1_000_000, 500],
  [4_000_000, 1_000],
  [100_000_000, 1_000],
])('a job of %d images has %d per message', (images, perMessage) => {
  expect(messageSizeFor(images)).toBe(perMessage);
});

test('a job of any number of images has hundreds of messages before it has larger ones', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (images) => {
      const size = messageSizeFor(images);
      if (size > MESSAGE_SIZES[0]) expect(images / size).toBeGreaterThanOrEqual(256);
      expect(messageSizeFor(images + 1)).toBeGreaterThanOrEqual(size);
    }),
  );
});

test('each message has its own part file, and splitting the largest message ends before its chain does', () => {
  expect(Math.min(...MESSAGE_SIZES)).toBe(MIN_IMAGES_FOR_OWN_PART);
  expect(Math.max(...MESSAGE_SIZES)).toBeLessThanOrEqual(2 ** (MAX_HOPS - 1));
});

const ENVELOPE = { job: 'cats', attempt: 1 };

const images = fc.array(
  fc.record({
    id: fc.uuid(),
    url: fc.constantFrom('https://host/a', 'https://host/🐱', 'https://host/\uffff'),
    meta: fc.record({ text: fc.constantFrom('', 'x'.repeat(1_000), 'ü'.repeat(150_000), '🐱'.repeat(80_000)) }),
  }),
  { maxLength: 40 },
);

test('messages are counted as they are packed', async () => {
  await fc.assert(
    fc.asyncProperty(images, fc.integer({ min: 1, max: 12 }), async (given: ImageRef[], perMessage) => {
      const sizes = new SizeInMessage(ENVELOPE);
      const count = new MessageCount(sizes, perMessage);
      for (const image of given) count.add(sizes.of(image));
      const packed = await Array.fromAsync(packMessages(ENVELOPE, given, perMessage));
      const bytes = packed.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
      expect(count.messages).toBe(packed.length);
      expect(count.bytes).toBeGreaterThanOrEqual(bytes);
      expect(count.bytes).toBeLessThanOrEqual(bytes + packed.length * 32);
      expect(packed.every(({ body }) => Buffer.byteLength(body) <= MAX_MESSAGE_BYTES)).toBe(true);
    }),
    { numRuns: 50 },
  );
}, 60_000);
