import { describe, expect, test } from '@jest/globals';
import { LabelqueueMetrics, MAX_JOBS_WITH_SERIES } from '../../dashboard/metrics.ts';
import type { MetricsReading } from '../../dashboard/metrics-reading.ts';
import { ERROR_CODES } from '../../shared/contract/error-codes.ts';
import { type PrometheusFamily, parsePrometheus, sampleOf } from '../support/prometheus-text.ts';

const QUEUE = { waiting: 7, in_flight: 3, delayed: 2, dead: 1 };

async function scrape(metrics: LabelqueueMetrics, reading: MetricsReading, now?: number) {
  return parsePrometheus(await metrics.text(reading, now));
}

function series(families: ReadonlyMap<string, PrometheusFamily>, name: string): Record<string, string>[] {
  return (families.get(name)?.samples ?? []).map(({ labels }) => labels);
}

describe('the queue', () => {
  test('has its messages by state, and the age of the oldest', async () => {
    const families = await scrape(new LabelqueueMetrics(), { queue: QUEUE, oldestMessageAgeSeconds: 12.5 });
    for (const [state, messages] of Object.entries(QUEUE)) {
      expect(sampleOf(families, 'labelqueue_queue_messages', { state })).toBe(messages);
    }
    expect(sampleOf(families, 'labelqueue_queue_oldest_message_age_seconds')).toBe(12.5);
    expect(sampleOf(families, 'labelqueue_queue_up')).toBe(1);
  });

  test('has no values while SQS does not answer: the last ones are outdated', async () => {
    const metrics = new LabelqueueMetrics();
    await scrape(metrics, { queue: QUEUE, oldestMessageAgeSeconds: 12.5 });
    const families = await scrape(metrics, {});
    expect(sampleOf(families, 'labelqueue_queue_up')).toBe(0);
    for (const name of ['messages', 'oldest_message_age_seconds', 'time_to_drain_seconds']) {
      expect(series(families, `labelqueue_queue_${name}`)).toEqual([]);
    }
  });

  test.each([
    [
      'is known from the pace between two scrapes',
      [
        [0, 100],
        [60, 70],
      ],
      140,
    ],
    [
      'goes by the pace since the queue was fullest',
      [
        [0, 0],
        [60, 100],
        [120, 80],
      ],
      240,
    ],
    [
      'is infinite for a queue that gets longer',
      [
        [0, 10],
        [60, 20],
      ],
      Number.POSITIVE_INFINITY,
    ],
    [
      'is infinite for a queue that stands still',
      [
        [0, 10],
        [60, 10],
        [120, 10],
      ],
      Number.POSITIVE_INFINITY,
    ],
    ['is zero for an empty queue', [[0, 0]], 0],
    ['is not known at the first scrape', [[0, 10]], undefined],
    [
      'is not known from two scrapes at the same moment',
      [
        [0, 10],
        [1, 9],
      ],
      undefined,
    ],
    [
      'forgets what was more than five minutes ago',
      [
        [0, 1_000],
        [301, 10],
        [361, 5],
      ],
      60,
    ],
  ] as [string, [number, number][], number | undefined][])('time to drain %s', async (_what, scrapes, seconds) => {
    const metrics = new LabelqueueMetrics();
    let families = new Map<string, PrometheusFamily>();
    for (const [second, waiting] of scrapes) {
      const queue = { waiting, in_flight: 0, delayed: 0, dead: 9 };
      families = await scrape(metrics, { queue }, 1_000_000 + second * 1_000);
    }
    expect(sampleOf(families, 'labelqueue_queue_time_to_drain_seconds')).toBe(seconds);
  });
});

describe('counters', () => {
  const classified = (total: number): MetricsReading => ({ images: [{ outcome: 'classified', total }] });
  const value = (families: ReadonlyMap<string, PrometheusFamily>) =>
    sampleOf(families, 'labelqueue_images_total', { outcome: 'classified' });

  test('exist from the start, so that rate() does not miss the first event', async () => {
    const families = await scrape(new LabelqueueMetrics(), {});
    for (const outcome of ['classified', 'cancelled', 'sent_on']) {
      expect(sampleOf(families, 'labelqueue_images_total', { outcome })).toBe(0);
    }
    for (const code of [...Object.keys(ERROR_CODES), 'other']) {
      expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'failed', code })).toBe(0);
    }
    for (const outcome of ['settled', 'malformed', 'unsettled']) {
      expect(sampleOf(families, 'labelqueue_messages_total', { outcome })).toBe(0);
    }
    for (const name of ['labelqueue_worker_errors_total', 'labelqueue_cost_usd_total']) {
      expect(sampleOf(families, name)).toBe(0);
    }
  });

  test('never fall: after a purge, remaining images are not counted again, and new ones are', async () => {
    const metrics = new LabelqueueMetrics();
    const seen = [];
    for (const total of [100, 150, 20, 20, 50]) seen.push(value(await scrape(metrics, classified(total))));
    expect(seen).toEqual([100, 150, 150, 150, 180]);
  });

  test('stay the same when a reading does not have them', async () => {
    const metrics = new LabelqueueMetrics();
    const whole = { ...classified(100), workerErrors: 2, costUsd: 0.5 };
    for (const reading of [whole, {}, whole]) await scrape(metrics, reading);
    const families = await scrape(metrics, whole);
    expect(value(families)).toBe(100);
    expect(sampleOf(families, 'labelqueue_worker_errors_total')).toBe(2);
    expect(sampleOf(families, 'labelqueue_cost_usd_total')).toBe(0.5);
  });

  test('have exactly the error codes of the list', async () => {
    const codes = [...Object.keys(ERROR_CODES), 'surprise', '__proto__', 'constructor', 'x'.repeat(10_000)];
    const images = codes.map((code) => ({ outcome: 'failed' as const, code, total: 1 }));
    const families = await scrape(new LabelqueueMetrics(), { images });
    const shown = series(families, 'labelqueue_images_total').flatMap(({ code }) => code ?? []);
    expect([...new Set(shown)].toSorted()).toEqual([...Object.keys(ERROR_CODES), 'other'].toSorted());
    expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'failed', code: 'other' })).toBe(4);
  });
});

describe('unbounded labels are limited:', () => {
  test('names of jobs: the newest ones only', async () => {
    const metrics = new LabelqueueMetrics();
    const job = (n: number) => ({ job: `job-${n}`, classified: n, failed: 0, remaining: 5 });
    await scrape(metrics, { jobs: Array.from({ length: 500 }, (_, n) => job(n)) });
    const families = await scrape(metrics, { jobs: Array.from({ length: 500 }, (_, n) => job(1_000 + n)) });
    const names = new Set(series(families, 'labelqueue_job_images').map(({ job_name }) => job_name));
    expect([...names]).toEqual(Array.from({ length: MAX_JOBS_WITH_SERIES }, (_, n) => `job-${1_000 + n}`));
  });

  test('processors and models', async () => {
    const metrics = new LabelqueueMetrics();
    for (let n = 0; n < 1_000; n++) metrics.addWorker({ processor: `cpu "${n}"\n\\`, model: 'm 1' });
    const workers = series(await scrape(metrics, {}), 'labelqueue_worker_info');
    expect(workers).toHaveLength(20);
    expect(workers[0]).toEqual({ processor: 'cpu "0"\n\\', model: 'm 1' });
  });
});

test('times of a stage are a histogram in seconds', async () => {
  const metrics = new LabelqueueMetrics();
  for (const seconds of [0.004, 0.2, 3, 60]) metrics.observeStage('fetch', seconds);
  const families = await scrape(metrics, {});
  const name = 'labelqueue_stage_duration_seconds';
  expect(families.get(name)?.type).toBe('histogram');
  expect(sampleOf(families, `${name}_count`, { stage: 'fetch' })).toBe(4);
  expect(sampleOf(families, `${name}_sum`, { stage: 'fetch' })).toBeCloseTo(63.204);
  const upTo = (le: string) => sampleOf(families, `${name}_bucket`, { stage: 'fetch', le });
  expect([upTo('0.005'), upTo('0.25'), upTo('5'), upTo('30'), upTo('+Inf')]).toEqual([1, 2, 3, 3, 4]);
});
