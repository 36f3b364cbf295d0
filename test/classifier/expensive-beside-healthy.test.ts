import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { classifyImages, type ImageOutcome, type Pipeline } from '../../shared/classifier/classify-images.ts';
import { ApartQueue, type ApartQueueOptions } from '../../shared/classifier/decode/apart-queue.ts';
import { inspect } from '../../shared/classifier/decode/inspect/inspect.ts';
import type { Inspected } from '../../shared/classifier/decode/picture.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import {
  ABANDON_AFTER_MS,
  IMAGES_IN_FLIGHT,
  MAX_EXPENSIVE_IMAGES,
  PUT_OFF_BEFORE_WAITING,
} from '../../shared/contract/limits.ts';
import { scansJpeg } from '../support/expensive-images.ts';
import { FORMAT, readPhoto } from './pictures.ts';

const EXPENSIVE = 60;
const HEALTHY = 20;
/** In place of ten. */
const DECODE_TIMEOUT_SECONDS = 0.5;
/** Of a server that is not quick: of one host eight images are fetched at once, so three of them take the healthy ones. */
const FETCH_MS = 500;

/** Takes a decoder more than ten seconds. */
let endless: Buffer;
let photo: Buffer;
beforeAll(async () => {
  endless = scansJpeg(7_000, 1, 882);
  photo = await readPhoto('coffee.jpg');
});

type Run = { outcomes: string[]; healthyMs: number };

/** With real decoders; the expensive images come first. */
async function classify(
  expensive: number,
  healthy: number,
  { signal = new AbortController().signal, ...options }: ApartQueueOptions & { signal?: AbortSignal } = {},
): Promise<Run> {
  const infer = (pictures: readonly Uint8Array[]) => pictures.map(() => [{ label: 'a', score: 1, classId: 0 }]);
  const pipeline: Pipeline = {
    classifier: { format: FORMAT, infer } as unknown as Pipeline['classifier'],
    topK: 1,
    apart: new ApartQueue({ timeoutSeconds: DECODE_TIMEOUT_SECONDS, ...options }),
    async fetch(url) {
      if (url.includes('expensive')) return endless;
      await delay(FETCH_MS);
      return photo;
    },
    close: async () => {},
  };
  const images = [
    ...Array.from({ length: expensive }, (_, number) => ({
      url: `https://expensive-${number % 10}.example/${number}`,
    })),
    ...Array.from({ length: healthy }, (_, number) => ({ url: `https://healthy.example/${number}` })),
  ];
  const outcomes = new Map<object, string>();
  const started = performance.now();
  let healthyMs = 0;
  const onOutcome = (image: { url: string }, outcome: ImageOutcome) => {
    outcomes.set(image, nameOf(outcome));
    if (image.url.includes('healthy')) healthyMs = performance.now() - started;
  };
  await classifyImages(images, pipeline, { signal, onOutcome });
  return { outcomes: images.map((image) => outcomes.get(image) ?? 'none'), healthyMs };
}

function nameOf(outcome: ImageOutcome): string {
  if (typeof outcome === 'string') return outcome;
  if (outcome instanceof PutOff) return outcome.reason;
  return outcome instanceof ImageFailure ? outcome.code : 'classified';
}

test('20 healthy images beside 60 that cannot be decoded in time take at most twice their time alone', async () => {
  const alone = await classify(0, HEALTHY);
  const beside = await classify(EXPENSIVE, HEALTHY);
  expect(beside.healthyMs / alone.healthyMs).toBeLessThan(2);
  expect(beside.outcomes.slice(EXPENSIVE)).toEqual(Array(HEALTHY).fill('classified'));
  // As many as can wait get their outcome; the others can be had later, maybe in another worker.
  const ofExpensive = beside.outcomes.slice(0, EXPENSIVE);
  expect(new Set(ofExpensive)).toEqual(new Set(['decode_timeout', 'decoder_busy']));
  expect(ofExpensive.filter((code) => code === 'decode_timeout').length).toBeGreaterThanOrEqual(MAX_EXPENSIVE_IMAGES);
}, 120_000);

test('as many expensive images as ten messages of one image have are all decoded', async () => {
  const { outcomes } = await classify(MAX_EXPENSIVE_IMAGES, 0);
  expect(outcomes).toEqual(Array(MAX_EXPENSIVE_IMAGES).fill('decode_timeout'));
}, 60_000);

test('when all images are expensive, they are not fetched faster than they are decoded', async () => {
  const most = 2;
  const images = 150;
  const { outcomes } = await classify(images, 0, { most, timeoutSeconds: 0.01 });
  const putOff = outcomes.filter((code) => code === 'decoder_busy').length;
  // Those that were being fetched when it turned out are put off too.
  expect(putOff).toBeGreaterThanOrEqual(PUT_OFF_BEFORE_WAITING);
  expect(putOff).toBeLessThanOrEqual(PUT_OFF_BEFORE_WAITING + IMAGES_IN_FLIGHT);
}, 200_000);

test('an expensive image is deferred for as long as those before it may take', async () => {
  const queue = new ApartQueue({ most: 2, timeoutSeconds: 3 });
  const giveUp = new AbortController();
  const picture = (await inspect(endless)) as Inspected;
  const before = [1, 2].map(() => queue.decode(picture, FORMAT, giveUp.signal));
  expect(await queue.decode(picture, FORMAT, giveUp.signal)).toMatchObject({ reason: 'decoder_busy', seconds: 6 });
  giveUp.abort();
  expect((await Promise.allSettled(before)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

describe('at the deadline', () => {
  test('the image in the separate decoder and those that wait for it are reported as not reached at once', async () => {
    const deadline = new AbortController();
    setTimeout(() => deadline.abort(), 1_500);
    const started = performance.now();
    const { outcomes } = await classify(5, 0, { timeoutSeconds: 60, signal: deadline.signal });
    expect(outcomes).toEqual(Array(5).fill('not_reached'));
    expect(performance.now() - started).toBeLessThan(1_500 + ABANDON_AFTER_MS);
  }, 30_000);
});
