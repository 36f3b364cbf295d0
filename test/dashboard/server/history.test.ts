import { describe, expect, test } from '@jest/globals';
import { bucketsBetween, bucketsOf, perSecond } from '../../../dashboard/server/buckets.ts';
import { arrivalsOf, historyOf } from '../../../dashboard/server/history.ts';
import { type MessageSample, MessageSamples } from '../../../dashboard/server/message-samples.ts';
import type { WatchedJob } from '../../../dashboard/server/watched-job.ts';
import { newJob } from '../../../shared/jobs/enqueue.ts';
import type { CountedPart } from '../../../shared/jobs/part-walk.ts';

const NOW = Date.UTC(2026, 10, 26, 12, 0, 7);
const SECOND = 1_000;
const RANGES = ['15m', '1h', '6h', '24h', '7d'] as const;

function part(kind: 'results' | 'failures', at: number, lines: number, code?: string): CountedPart {
  const codes = new Map(code === undefined ? [] : [[code, lines]]);
  const name = { digest: String(at), idSum: undefined, lines, time: undefined, codes };
  return { kind, part: { ...name, key: `${kind}${at}`, bytes: 1, writtenAt: new Date(at) } };
}

function job(counted: CountedPart[], sent: number, start: number, end: number): WatchedJob {
  const plan = newJob({ job: 'cats', source: '-', sourceDigest: '', perMessage: 1, images: sent });
  const description = {
    ...plan,
    sent,
    startedAt: new Date(start).toISOString(),
    updatedAt: new Date(end).toISOString(),
  };
  return { counted, files: {}, description, row: { state: 'running', lastOutcomeAt: null } } as unknown as WatchedJob;
}

const sample = (at: number, waiting: number): MessageSample => ({
  at,
  waiting,
  inFlight: 0,
  delayed: 0,
  dead: 0,
  ageSeconds: null,
});
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('buckets', () => {
  test.each(RANGES)(
    'of %s are at most 300, aligned to their length, and the last one contains the present',
    (range) => {
      const buckets = bucketsOf(range, NOW);
      expect(buckets.count).toBeLessThanOrEqual(300);
      expect(buckets.count).toBeGreaterThanOrEqual(160);
      expect(buckets.fromAt % buckets.bucketMs).toBe(0);
      expect(buckets.toAt).toBeGreaterThan(NOW);
      expect(buckets.toAt - buckets.bucketMs).toBeLessThanOrEqual(NOW);
    },
  );

  test.each([0, 1, 299, 300, 3_601, 86_400, 40 * 86_400])('between two times %d s apart are at most 300', (seconds) => {
    const from = NOW - seconds * SECOND;
    const buckets = bucketsBetween(from, NOW, NOW);
    expect(buckets.count).toBeLessThanOrEqual(300);
    expect(buckets.fromAt).toBeLessThanOrEqual(from);
    expect(buckets.toAt).toBeGreaterThan(NOW);
  });

  test('the last one has the rate of its elapsed time', () => {
    const buckets = { fromAt: 0, toAt: 20 * SECOND, bucketMs: 10 * SECOND, now: 12 * SECOND, count: 2 };
    expect(perSecond(buckets, [100, 20])).toEqual([10, 10]);
  });
});

describe('images', () => {
  test("are in the buckets of their files' times, by code; those outside of the range are in none", () => {
    const at = bucketsOf('15m', NOW).fromAt;
    const counted = [
      part('results', at, 50),
      part('results', at + 4_999, 50),
      part('failures', at + 5_000, 10, 'timeout'),
      part('results', at - 1, 1_000),
      part('results', NOW + 60 * SECOND, 1_000),
    ];
    const { classifiedImagesPerSecond, failedImagesPerSecond, failedImagesByCode } = historyOf({
      range: '15m',
      now: NOW,
      jobs: [job(counted, 0, NOW, NOW)],
      samples: [],
    });
    expect(classifiedImagesPerSecond.slice(0, 2)).toEqual([20, 0]);
    expect(sum(classifiedImagesPerSecond)).toBe(20);
    expect(failedImagesPerSecond.slice(0, 2)).toEqual([0, 2]);
    expect(failedImagesByCode.map(({ code, images }) => [code, images[1], sum(images)])).toEqual([['timeout', 10, 10]]);
  });

  test('that remain are those that were enqueued and had no outcome', () => {
    const buckets = bucketsOf('15m', NOW);
    const at = (bucket: number) => buckets.fromAt + bucket * buckets.bucketMs;
    const counted = [part('results', at(3), 40), part('failures', at(5), 10, 'corrupt')];
    const { toGoImages, arrivedImagesPerSecond } = historyOf({
      range: '15m',
      now: NOW,
      jobs: [job(counted, 100, at(1), at(3))],
      samples: [],
    });
    expect(toGoImages.slice(0, 7)).toEqual([0, 50, 100, 60, 60, 50, 50]);
    expect(arrivedImagesPerSecond.slice(0, 4)).toEqual([0, 10, 10, 0]);
  });

  test('of a job that was enqueued before the range remain from its beginning', () => {
    const { toGoImages } = historyOf({
      range: '15m',
      now: NOW,
      jobs: [job([part('results', NOW - 7_200 * SECOND, 30)], 100, NOW - 8_000 * SECOND, NOW - 7_900 * SECOND)],
      samples: [],
    });
    expect(new Set(toGoImages)).toEqual(new Set([70]));
  });

  test('are all enqueued at once when a job was enqueued in no time', () => {
    const buckets = bucketsOf('15m', NOW);
    const at = new Date(buckets.fromAt + 1).toISOString();
    expect(sum(arrivalsOf({ sent: 10, startedAt: at, updatedAt: at }, buckets).perBucket)).toBeCloseTo(10);
  });

  test('with too many codes have the rest as others', () => {
    const counted = Array.from({ length: 12 }, (_, index) =>
      part('failures', NOW - 60_000, 20 - index, `code_${index}`),
    );
    const { failedImagesByCode } = historyOf({ range: '1h', now: NOW, jobs: [job(counted, 0, NOW, NOW)], samples: [] });
    expect(failedImagesByCode.map(({ code }) => code)).toEqual([
      ...Array.from({ length: 8 }, (_, index) => `code_${index}`),
      'other',
    ]);
    expect(sum(failedImagesByCode.at(-1)?.images ?? [])).toBe(12 + 11 + 10 + 9);
  });
});

describe('messages', () => {
  test('are known only for times at which the queue was observed', () => {
    const { waitingMessages, messagesKnownFromAt, oldestMessageAgeSeconds } = historyOf({
      range: '15m',
      now: NOW,
      jobs: [],
      samples: [sample(NOW - 3_600 * SECOND, 9), sample(NOW - 12 * SECOND, 3), sample(NOW - SECOND, 4)],
    });
    expect(waitingMessages.filter((count) => count !== null)).toEqual([3, 4]);
    expect(messagesKnownFromAt).toBe(NOW - 12 * SECOND);
    expect(new Set(oldestMessageAgeSeconds)).toEqual(new Set([null]));
  });

  test('of a week of observation are reduced to some thousands', () => {
    const samples = new MessageSamples();
    const from = NOW - 7 * 86_400 * SECOND;
    for (let at = from; at < NOW; at += 2 * SECOND) samples.add(sample(at, 1));
    expect(samples.all.length).toBeLessThan(15_000);
    expect(samples.all[0]?.at).toBeLessThan(from + 120 * SECOND);
    expect(samples.all.filter(({ at }) => at >= NOW - 3_000 * SECOND)).toHaveLength(1_500);
  });
});
