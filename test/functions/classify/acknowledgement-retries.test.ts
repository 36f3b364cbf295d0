/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: time and chance are the test's. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { MAX_ATTEMPTS, MAX_DELAY_SECONDS } from '../../../shared/contract/limits.ts';
import type { QueueMessage } from '../../../shared/contract/message.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { createInjectedWorker } from '../../support/injected-worker.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [aws, images] = await sharedByTests(startTestAws(), startImageServer());

afterEach(() => aws.clear());

/** The retry messages so far, in the order of their attempts. */
function retries(): { attempt: number; delaySeconds: number; body: string }[] {
  return aws
    .queued()
    .map(({ body, delaySeconds }) => ({ attempt: (parseMessage(body) as QueueMessage).attempt, delaySeconds, body }))
    .toSorted((one, other) => one.attempt - other.attempt);
}

test('an image fails again and again', async () => {
  let now = Date.parse('2026-11-24T09:30:00.000Z');
  const randoms = [0, 0.5, 0.999, 0.25, 0];
  await using worker = createInjectedWorker(aws, [images.host], {
    now: () => new Date(now),
    random: () => randoms.shift() as number,
    retryBaseSeconds: 10,
  });
  let { body } = messageRecord({ images: [{ id: 'busy', url: images.url('/status/503') }] });
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    expect(await worker.process([sqsRecord(body)])).toEqual([]);
    const next = retries().at(-1);
    if (attempt === MAX_ATTEMPTS || next === undefined) break;
    expect(await aws.failures('job')).toEqual([]);
    body = next.body;
    now += next.delaySeconds * 1_000;
  }
  // Half of 10, 20, 40 and 80 s, and of the other half as much as chance gave.
  expect(retries().map(({ attempt, delaySeconds }) => [attempt, delaySeconds])).toEqual([
    [2, 5],
    [3, 15],
    [4, 40],
    [5, 50],
  ]);
  expect(images.requests('/status/503')).toBe(MAX_ATTEMPTS);
  expect(await aws.failures('job')).toMatchObject([
    { id: 'busy', attempt: MAX_ATTEMPTS, error: { code: 'server_error' }, at: '2026-11-24T09:31:50.000Z' },
  ]);
  expect(aws.deadLetters()).toMatchObject([{ attributes: { job: 'job', code: 'server_error' } }]);
});

describe('a server sends Retry-After', () => {
  const inTwoMinutes = () => new Date(Date.now() + 120_000).toUTCString();

  test.each<[what: string, retryAfter: () => string, least: number, most: number]>([
    ['in seconds', () => '120', 120, 120],
    ['by a date', inTwoMinutes, 100, 120],
    ['later than SQS can delay', () => '86400', MAX_DELAY_SECONDS, MAX_DELAY_SECONDS],
    ['sooner than the worker would', () => '1', 8, 8],
    ['in the past', () => new Date(0).toUTCString(), 8, 8],
    ['in words', () => 'soon', 8, 8],
  ])('%s', async (_what, retryAfter, least, most) => {
    await using worker = createInjectedWorker(aws, [images.host], { random: () => 0.5, retryBaseSeconds: 10 });
    const url = images.url(`/status/429?retry-after=${encodeURIComponent(retryAfter())}`);
    expect(await worker.process([messageRecord({ images: [{ id: 'busy', url }] })])).toEqual([]);
    const [retry, ...others] = retries();
    expect(others).toEqual([]);
    expect(retry?.attempt).toBe(2);
    expect(retry?.delaySeconds).toBeGreaterThanOrEqual(least);
    expect(retry?.delaySeconds).toBeLessThanOrEqual(most);
  });
});
