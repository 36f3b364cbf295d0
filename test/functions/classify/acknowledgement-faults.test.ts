/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: AWS fails. */

import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { formatMessage } from '../../../shared/contract/message.ts';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';
import { anyRun } from '../../support/ended-run.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import type { Fault } from '../../support/targeted-faults.ts';

/** Faults of requests that then have no effect. */
const REFUSALS: Fault[] = [500, 503, 'cut'];

const [harness] = await sharedByTests(startHarness());
afterEach(() => harness.reset());

describe('a result write fails', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await harness.aws.send(bodyOf([harness.good('a'), harness.missing()]));
    harness.faults.inject({ put: 'results/' }, fault);
    expect((await harness.deliver()).unacknowledged).toHaveLength(1);
    expect(harness.faults.heal()).toBe(1);
    expect(harness.inQueue()).toEqual([
      { ids: ['a', 'missing'], attempt: 1, hops: 0, receiveCount: 1, delaySeconds: 0 },
    ]);
    // The failure line may be there before the message is settled; no dead letter is.
    expect((await harness.seen()).classified).toEqual([]);
    expect(harness.aws.deadLetters()).toEqual([]);
    await harness.deliverAll();
    expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
    expect(harness.inDeadLetters()).toEqual(['missing']);
  });
});

describe('a failure write fails', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await harness.aws.send(bodyOf([harness.good('a'), harness.missing()]));
    harness.faults.inject({ put: 'failures/' }, fault);
    expect((await harness.deliver()).unacknowledged).toHaveLength(1);
    expect(harness.faults.heal()).toBe(1);
    expect((await harness.seen()).failed).toEqual({});
    expect(harness.aws.deadLetters()).toEqual([]);
    await harness.deliverAll();
    expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
    expect(harness.inDeadLetters()).toEqual(['missing']);
  });
});

describe('a check for the end of a job cannot be requested', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    const image = harness.good('a');
    await harness.aws.send(formatMessage({ ...anyRun(), job: 'job', attempt: 1, images: [image] }));
    harness.faults.inject({ action: 'SendMessage', queue: 'labelqueue-job-ends.fifo' }, fault);
    expect((await harness.deliver()).unacknowledged).toHaveLength(1);
    expect(harness.faults.heal()).toBe(1);
    expect(await harness.aws.partKeys('results', 'job')).toEqual([]);
    await harness.deliverAll();
    expect(await harness.aws.results('job')).toMatchObject([{ id: 'a' }]);
  });
});

describe('a dead letter cannot be sent', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await harness.aws.send(bodyOf([harness.good('a'), harness.missing()]), 'cats, please', bodyOf([harness.good('b')]));
    harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue-dlq' }, fault);
    const { unacknowledged } = await harness.deliver();
    expect(unacknowledged.map((record) => record.body)).toEqual([
      bodyOf([harness.good('a'), harness.missing()]),
      'cats, please',
    ]);
    expect(harness.faults.heal()).toBe(2);
    expect(await harness.seen()).toEqual({ classified: ['a', 'b'], failed: { missing: 'not_found' } });
    expect(harness.aws.deadLetters()).toEqual([]);
    await harness.deliverAll();
    expect(await harness.seen()).toEqual({ classified: ['a', 'b'], failed: { missing: 'not_found' } });
    expect(
      harness.aws
        .deadLetters()
        .map((letter) => letter.attributes['code'] ?? letter.body)
        .toSorted(),
    ).toEqual(['cats, please', 'not_found']);
  });
});

describe('a retry cannot be sent', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await harness.aws.send(bodyOf([harness.good('a'), harness.busy()], 4));
    harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, fault);
    expect((await harness.deliver()).unacknowledged).toHaveLength(1);
    expect(harness.faults.heal()).toBe(1);
    // Its own attempt: nothing was tried a fifth time.
    expect(harness.inQueue()).toEqual([{ ids: ['a', 'busy'], attempt: 4, hops: 0, receiveCount: 1, delaySeconds: 0 }]);
    await harness.deliverAll();
    expect(await harness.seen()).toEqual({ classified: ['a'], failed: { busy: 'server_error' } });
    expect(harness.inDeadLetters()).toEqual(['busy']);
  });
});

test('only half of the retries can be sent', async () => {
  // Another delay makes it another message.
  const patient = { id: 'patient', url: harness.misbehaving.url('/status/503?retry-after=1') };
  await harness.aws.send(bodyOf([harness.good('a'), harness.busy(), patient], 4));
  harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 'last entry refused');
  expect((await harness.deliver()).unacknowledged).toHaveLength(1);
  expect(harness.faults.heal()).toBeGreaterThan(1);
  expect(harness.inQueue().toSorted((one, other) => one.attempt - other.attempt)).toEqual([
    { ids: ['a', 'busy', 'patient'], attempt: 4, hops: 0, receiveCount: 1, delaySeconds: 0 },
    { ids: ['busy'], attempt: 5, hops: 1, receiveCount: 0, delaySeconds: 0 },
  ]);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({
    classified: ['a'],
    failed: { busy: 'server_error', patient: 'server_error' },
  });
  expect(new Set(harness.inDeadLetters())).toEqual(new Set(['busy', 'patient']));
});

test('S3 does not respond', async () => {
  const hurried = await harness.startWorker({ timeoutSeconds: 6 });
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing()]));
  harness.faults.inject({ put: 'results/' }, 'silence');
  expect((await harness.deliver(hurried)).unacknowledged).toHaveLength(1);
  expect(harness.faults.heal()).toBe(1);
  await hurried.shutDown();
  expect((await harness.seen()).classified).toEqual([]);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(harness.inDeadLetters()).toEqual(['missing']);
});

test('the response to a write is lost', async () => {
  await harness.aws.send(bodyOf([harness.good('a')]), bodyOf([harness.missing()]), bodyOf([harness.busy()], 4));
  harness.faults.inject({ put: 'results/' }, 'reply lost');
  harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue-dlq' }, 'reply lost');
  harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 'reply lost');
  expect((await harness.deliver()).unacknowledged).toHaveLength(3);
  expect(harness.faults.heal()).toBe(3);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found', busy: 'server_error' } });
  expect(await harness.listed('results')).toBe(1);
  expect(harness.inDeadLetters()).toEqual(['busy', 'busy', 'missing', 'missing']);
});

test('deleting fails after success', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing()]));
  const deleter = new SQSClient({ ...harness.faults.clientConfig, maxAttempts: 1 });
  harness.faults.inject({ action: 'DeleteMessageBatch', queue: 'labelqueue' }, 500);
  expect((await harness.deliver(harness.worker, deleter)).unacknowledged).toEqual([]);
  expect(harness.faults.heal()).toBe(1);
  deleter.destroy();
  expect(harness.inQueue()).toEqual([{ ids: ['a', 'missing'], attempt: 1, hops: 0, receiveCount: 1, delaySeconds: 0 }]);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(harness.inDeadLetters()).toEqual(['missing', 'missing']);
});
