import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planOutcomes } from '../../../functions/classify/plan-outcomes.ts';
import type { ImageOutcome } from '../../../shared/classifier/classify-images.ts';
import { PutOff } from '../../../shared/classifier/put-off.ts';
import { ERROR_CODES, type ErrorCode, ImageFailure } from '../../../shared/contract/error-codes.ts';
import { MAX_ATTEMPTS, MAX_HOPS } from '../../../shared/contract/limits.ts';
import type { ImageRef } from '../../../shared/contract/message.ts';

const AT = new Date('2026-11-24T09:30:00.000Z');
const MODEL = { name: 'model', version: '1' };
const CONTEXT = { model: MODEL, retryBaseSeconds: 10, now: AT, random: 0 };
const CLASSIFIED: ImageOutcome = {
  labels: [{ label: 'cat', score: 0.9, classId: 281 }],
  image: { width: 4, height: 3, format: 'jpeg', bytes: 100, sha256: 'ab' },
};
const NOT_FOUND = new ImageFailure('not_found', 'expected status 200, got 404');
const RESTING = new PutOff('host_rests', 30, 'expected host.example to answer');
const DECODER_BUSY = new PutOff('decoder_busy', 30, 'expected the decoder to be free');
const SERVER_ERROR = new ImageFailure('server_error', 'expected status 200, got 503');

function image(id: string, more: Partial<ImageRef> = {}): ImageRef {
  return { id, url: `https://example.com/${id}`, ...more };
}

function settle(attempt: number, outcomes: [ImageRef, ImageOutcome][], hops = 0) {
  return planOutcomes({ job: 'job', attempt, hops, images: outcomes.map(([image]) => image) }, outcomes, CONTEXT);
}

test('gives a classified image its result line', () => {
  const { results, ...others } = settle(2, [[image('a', { meta: { sku: 'X1' } }), CLASSIFIED]]);
  expect(results).toEqual([
    {
      v: 1,
      job: 'job',
      id: 'a',
      url: 'https://example.com/a',
      meta: { sku: 'X1' },
      labels: CLASSIFIED.labels,
      model: MODEL,
      image: CLASSIFIED.image,
      attempt: 2,
      at: '2026-11-24T09:30:00.000Z',
    },
  ]);
  expect(others).toMatchObject({ failures: [], retries: new Map(), notReached: [] });
});

test('gives a permanently failed image its failure line, at the first attempt', () => {
  const missing = image('a');
  expect(settle(1, [[missing, NOT_FOUND]]).failures).toEqual([
    {
      image: missing,
      line: {
        v: 1,
        job: 'job',
        id: 'a',
        url: 'https://example.com/a',
        error: { code: 'not_found', stage: 'fetch', message: 'expected status 200, got 404', retryable: false },
        attempt: 1,
        at: '2026-11-24T09:30:00.000Z',
      },
    },
  ]);
});

test.each([1, 2, 3, 4])('retries a retryable error of attempt %d', (attempt) => {
  const { retries, failures } = settle(attempt, [[image('a'), SERVER_ERROR]]);
  expect([...retries.values()].flat()).toEqual([image('a')]);
  expect(failures).toEqual([]);
});

test('makes a retryable error of attempt 5 a failure', () => {
  const { retries, failures } = settle(5, [[image('a'), SERVER_ERROR]]);
  expect(retries.size).toBe(0);
  expect(failures).toMatchObject([{ line: { attempt: 5, error: { code: 'server_error', retryable: true } } }]);
});

test('groups retries by their delay, so that each Retry-After is honoured', () => {
  const { retries } = settle(1, [
    [image('a'), SERVER_ERROR],
    [image('b'), new ImageFailure('rate_limited', 'expected status 200, got 429', 60)],
    [image('c'), SERVER_ERROR],
  ]);
  expect(retries).toEqual(
    new Map([
      [5, [image('a'), image('c')]],
      [60, [image('b')]],
    ]),
  );
});

test.each([1, 5])('sends an image that was not reached in attempt %d back as it was', (attempt) => {
  const reached = settle(attempt, [[image('a'), 'not_reached']]);
  expect(reached).toMatchObject({ notReached: [image('a')], results: [], failures: [], retries: new Map() });
  expect(reached.message.attempt).toBe(attempt);
});

test.each([
  [0, 30],
  // Half of 10, 20, 40 and 80 s, and of no more than that.
  [3, 40],
  [10, 40],
])('defers an image, attempt unchanged: sent on %d times, for %d s', (hops, seconds) => {
  const { putOff, decodeLater, retries, failures, message } = settle(
    2,
    [
      [image('a'), RESTING],
      [image('b'), DECODER_BUSY],
    ],
    hops,
  );
  expect(putOff).toEqual(new Map([[seconds, [image('a')]]]));
  expect(decodeLater).toEqual({ delaySeconds: seconds, images: [image('b')] });
  expect([retries.size, failures, message.attempt]).toEqual([0, [], 2]);
});

test('sends no image on that was sent on the maximum number of times', () => {
  const outcomes: [ImageRef, ImageOutcome][] = [
    [image('a'), 'not_reached'],
    [image('b'), RESTING],
    [image('c'), SERVER_ERROR],
    [image('d'), CLASSIFIED],
    [image('e'), DECODER_BUSY],
  ];
  const { results, failures, retries, putOff, decodeLater, notReached } = settle(2, outcomes, MAX_HOPS);
  expect(failures.map(({ line: { id, error, attempt } }) => [id, error.code, attempt])).toEqual([
    ['a', 'timeout', 2],
    ['b', 'timeout', 2],
    ['c', 'server_error', 2],
    ['e', 'timeout', 2],
  ]);
  expect(failures[1]?.line.error.message).toContain('host.example');
  expect(failures[3]?.line.error.message).toContain('decoder');
  expect(results.map(({ id }) => id)).toEqual(['d']);
  expect([retries.size, putOff.size, decodeLater.images.length, notReached]).toEqual([0, 0, 0, []]);
});

test('puts each image into exactly one place, whatever its outcome', () => {
  const outcome: fc.Arbitrary<ImageOutcome> = fc.oneof(
    fc.constant(CLASSIFIED),
    fc.constant<ImageOutcome>('not_reached'),
    fc.constant(RESTING),
    fc.constant(DECODER_BUSY),
    fc
      .tuple(
        fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
        fc.option(fc.nat({ max: 2_000 }), { nil: undefined }),
      )
      .map(([code, retryAfter]) => new ImageFailure(code, code, retryAfter)),
  );
  const attempt = fc.integer({ min: 1, max: MAX_ATTEMPTS });
  fc.assert(
    fc.property(attempt, fc.nat({ max: MAX_HOPS }), fc.array(outcome, { maxLength: 50 }), (attempt, hops, given) => {
      const outcomes = given.map((outcome, index): [ImageRef, ImageOutcome] => [image(String(index)), outcome]);
      const { results, failures, retries, putOff, decodeLater, notReached } = settle(attempt, outcomes, hops);
      const ids = [
        ...results.map(({ id }) => id),
        ...failures.map(({ line }) => line.id),
        ...[...retries.values(), ...putOff.values(), decodeLater.images].flat().map(({ id }) => id),
        ...notReached.map(({ id }) => id),
      ];
      expect(ids.toSorted()).toEqual(outcomes.map(([{ id }]) => id).toSorted());
      if (hops === MAX_HOPS) expect(ids).toHaveLength(results.length + failures.length);
    }),
  );
});
