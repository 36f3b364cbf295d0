import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  MAX_ATTEMPTS,
  MAX_HOPS,
  MAX_ID_CHARS,
  MAX_IMAGES_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
} from '../../shared/contract/limits.ts';
import { type Envelope, formatDeadLetter, formatMessage, type ImageRef } from '../../shared/contract/message.ts';
import { ImageTooLargeError, packMessages } from '../../shared/contract/pack-messages.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { attempt, imageRef, images, jobName, queueMessage, run } from './arbitraries.ts';
import { seed } from './seed.ts';

/** What every reader of a message may rely on. */
function expectDeclaredOutcome(body: string): void {
  const message = parseMessage(body);
  if (message instanceof MalformedMessage) {
    expect(message.reason).toMatch(/\S/);
    return;
  }
  expect(message.job).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
  expect(message.attempt).toBeGreaterThanOrEqual(1);
  expect(message.attempt).toBeLessThanOrEqual(MAX_ATTEMPTS);
  expect(new Set(message.images.map(({ id }) => id)).size).toBe(message.images.length);
  for (const { id, url } of message.images) {
    expect(id.length).toBeLessThanOrEqual(MAX_ID_CHARS);
    expect(url).not.toBe('');
  }
}

test('reading never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), expectDeclaredOutcome), { seed, numRuns: 500 });
});

test('reading never throws, whatever the JSON', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), expectDeclaredOutcome), { seed, numRuns: 500 });
});

test('reading never throws on almost valid messages', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.webUrl(),
    imageRef,
    fc.array(fc.oneof(imageRef, fc.webUrl()), { maxLength: 5 }),
  );
  const names = [
    'v',
    'job',
    'run',
    'attempt',
    'hops',
    'images',
    'url',
    'imagelink',
    'id',
    'meta',
    'Records',
    's3',
    'Service',
    'Event',
    'Type',
    'Message',
    'source',
    'detail-type',
    'detail',
  ];
  const nearly = fc.dictionary(fc.constantFrom(...names), fc.oneof(value, fc.constantFrom(1, 'a', 's3:TestEvent')));
  fc.assert(
    fc.property(nearly, (body) => expectDeclaredOutcome(JSON.stringify(body))),
    { seed, numRuns: 500 },
  );
});

test('reading never throws, however deep the JSON', () => {
  const wrap = fc.constantFrom(
    (deep: string) => deep,
    (deep: string) => `{"url":"https://h/","meta":{"a":${deep}}}`,
    (deep: string) => `{"images":[{"url":"https://h/","meta":${deep}}]}`,
    (deep: string) => `{"v":1,"job":"a","attempt":1,"images":[{"id":"a","url":"https://h/","meta":{"a":${deep}}}]}`,
    (deep: string) => `{"Records":${deep}}`,
    (deep: string) => `{"images":${deep}}`,
    (deep: string) => JSON.stringify({ Type: 'Notification', Message: deep }),
    (deep: string) => `{"source":"a","detail-type":"b","detail":{"url":"https://h/","meta":{"a":${deep}}}}`,
    (deep: string) => `{"source":"a","detail":${deep}}`,
  );
  const pair = fc.constantFrom(['[', ']'], ['{"a":', '}']);
  fc.assert(
    fc.property(wrap, pair, fc.integer({ min: 1, max: 150_000 }), (wrapped, [open = '', close = ''], depth) =>
      expectDeclaredOutcome(wrapped(`${open.repeat(depth)}1${close.repeat(depth)}`)),
    ),
    { seed, numRuns: 60 },
  );
});

test('a message that is written is read back equal', () => {
  fc.assert(
    fc.property(queueMessage, (message) => expect(parseMessage(formatMessage(message))).toEqual(message)),
    { seed, numRuns: 300 },
  );
});

test('a dead letter is read back as its image, of the same run', () => {
  const jobRun = fc.record({ job: jobName, run }, { requiredKeys: ['job'] });
  const error = fc.record({ code: fc.string(), stage: fc.string(), message: fc.string(), attempts: fc.nat() });
  fc.assert(
    fc.property(jobRun, imageRef, error, (of, image, past) =>
      expect(parseMessage(formatDeadLetter(of, image, past))).toEqual({ ...of, attempt: 1, images: [image] }),
    ),
    { seed },
  );
});

/** The images of each body, all of which are within the limits and in the envelope. */
async function packsOf(envelope: Envelope, given: ImageRef[], perMessage?: number): Promise<ImageRef[][]> {
  const packs: ImageRef[][] = [];
  for await (const packed of packMessages(envelope, given, perMessage)) {
    const message = parseMessage(packed.body);
    expect(message).toMatchObject(envelope);
    expect(Buffer.byteLength(packed.body)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    packs.push((message as { images: ImageRef[] }).images);
    expect(packs.at(-1)).toHaveLength(packed.images);
  }
  return packs;
}

test('packing keeps every image, in order, and fills each message to the maximum number', async () => {
  const perMessage = fc.integer({ min: 1, max: 12 });
  await fc.assert(
    fc.asyncProperty(jobName, attempt, images(40), perMessage, async (job, attemptNumber, given, most) => {
      const packs = await packsOf({ job, attempt: attemptNumber }, given, most);
      expect(packs.flat()).toEqual(given);
      expect(packs.slice(0, -1).every((pack) => pack.length === most)).toBe(true);
      expect(packs).toHaveLength(Math.ceil(given.length / most));
    }),
    { seed },
  );
});

test('packed messages never exceed 1 MiB, and are as full as possible', async () => {
  // Characters of one to three bytes, and some that are longer when they are escaped.
  const filling = fc.record({
    character: fc.constantFrom('a', 'é', '猫', '"', '\u0001', '\uFFFF', '\uD800'),
    times: fc.integer({ min: 0, max: 150_000 }),
  });
  const given = fc
    .array(filling, { minLength: 1, maxLength: 12 })
    .map((all) => all.map(({ character, times }, id) => largeImage(String(id), character.repeat(times))));
  await fc.assert(
    fc.asyncProperty(given, async (large) => {
      const packs = await packsOf({ job: 'job', attempt: 5 }, large);
      expect(packs.flat()).toEqual(large);
      packs.slice(1).forEach(([next], index) => {
        // There is room for the count of hops of the last link.
        const fuller = formatMessage({
          job: 'job',
          attempt: 5,
          hops: MAX_HOPS,
          images: [...(packs[index] ?? []), next as ImageRef],
        });
        expect(Buffer.byteLength(fuller)).toBeGreaterThan(MAX_MESSAGE_BYTES);
      });
    }),
    { seed, numRuns: 25 },
  );
});

function largeImage(id: string, text: string): ImageRef {
  return { id, url: 'https://host.example/a.jpg', meta: { text } };
}

test('a message holds 1,000 images by default', async () => {
  const given = Array.from({ length: 2_500 }, (_, id) => ({ id: String(id), url: 'https://host.example/a.jpg' }));
  const packs = await packsOf({ job: 'job', attempt: 1 }, given);
  expect(packs.map((pack) => pack.length)).toEqual([MAX_IMAGES_PER_MESSAGE, MAX_IMAGES_PER_MESSAGE, 500]);
});

test('an image that fits no message is named', async () => {
  const packing = packsOf({ job: 'job', attempt: 1 }, [largeImage('the-large-one', 'x'.repeat(MAX_MESSAGE_BYTES))]);
  await expect(packing).rejects.toThrow(ImageTooLargeError);
  await expect(packing).rejects.toThrow(/at most \d+ bytes.* got \d+ for the id the-large-one/);
});

test('an image that fills its message to the last byte is sent, through its whole chain; with one byte more it is not', async () => {
  const empty = formatMessage({ job: 'job', attempt: 1, hops: MAX_HOPS, images: [largeImage('a', '')] });
  const room = MAX_MESSAGE_BYTES - Buffer.byteLength(empty);
  const filling = largeImage('a', 'x'.repeat(room));
  expect(await packsOf({ job: 'job', attempt: 1 }, [filling])).toEqual([[filling]]);
  expect(await packsOf({ job: 'job', attempt: 5, hops: MAX_HOPS }, [filling])).toEqual([[filling]]);
  const larger = largeImage('a', 'x'.repeat(room + 1));
  await expect(packsOf({ job: 'job', attempt: 1 }, [larger])).rejects.toThrow(ImageTooLargeError);
});
