/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: AWS fails. */

import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { formatMessage } from '../../../shared/contract/message.ts';
import { bodyOf, startTrial, type Trial } from '../../support/acknowledgement-trial.ts';
import { anyRun } from '../../support/ended-run.ts';
import type { Fault } from '../../support/targeted-faults.ts';

/** Faults of requests that then have no effect. */
const REFUSALS: Fault[] = [500, 503, 'cut'];

let trial: Trial;
beforeAll(async () => {
  trial = await startTrial();
});
afterEach(() => trial.reset());
afterAll(() => trial.stop());

describe('a result write fails', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await trial.aws.send(bodyOf([trial.good('a'), trial.missing()]));
    trial.faults.inject({ put: 'results/' }, fault);
    expect((await trial.deliver()).unacknowledged).toHaveLength(1);
    expect(trial.faults.heal()).toBe(1);
    expect(trial.inQueue()).toEqual([{ ids: ['a', 'missing'], attempt: 1, hops: 0, receiveCount: 1, delaySeconds: 0 }]);
    // The failure line may be there before the message is settled; no dead letter is.
    expect((await trial.seen()).classified).toEqual([]);
    expect(trial.aws.deadLetters()).toEqual([]);
    await trial.deliverAll();
    expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
    expect(trial.inDeadLetters()).toEqual(['missing']);
  });
});

describe('a failure write fails', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await trial.aws.send(bodyOf([trial.good('a'), trial.missing()]));
    trial.faults.inject({ put: 'failures/' }, fault);
    expect((await trial.deliver()).unacknowledged).toHaveLength(1);
    expect(trial.faults.heal()).toBe(1);
    expect((await trial.seen()).failed).toEqual({});
    expect(trial.aws.deadLetters()).toEqual([]);
    await trial.deliverAll();
    expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
    expect(trial.inDeadLetters()).toEqual(['missing']);
  });
});

describe('a check for the end of a job cannot be requested', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    const image = trial.good('a');
    await trial.aws.send(formatMessage({ ...anyRun(), job: 'job', attempt: 1, images: [image] }));
    trial.faults.inject({ action: 'SendMessage', queue: 'labelqueue-job-ends.fifo' }, fault);
    expect((await trial.deliver()).unacknowledged).toHaveLength(1);
    expect(trial.faults.heal()).toBe(1);
    expect(await trial.aws.partKeys('results', 'job')).toEqual([]);
    await trial.deliverAll();
    expect(await trial.aws.results('job')).toMatchObject([{ id: 'a' }]);
  });
});

describe('a dead letter cannot be sent', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await trial.aws.send(bodyOf([trial.good('a'), trial.missing()]), 'cats, please', bodyOf([trial.good('b')]));
    trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue-dlq' }, fault);
    const { unacknowledged } = await trial.deliver();
    expect(unacknowledged.map((record) => record.body)).toEqual([
      bodyOf([trial.good('a'), trial.missing()]),
      'cats, please',
    ]);
    expect(trial.faults.heal()).toBe(2);
    expect(await trial.seen()).toEqual({ classified: ['a', 'b'], failed: { missing: 'not_found' } });
    expect(trial.aws.deadLetters()).toEqual([]);
    await trial.deliverAll();
    expect(await trial.seen()).toEqual({ classified: ['a', 'b'], failed: { missing: 'not_found' } });
    expect(
      trial.aws
        .deadLetters()
        .map((letter) => letter.attributes['code'] ?? letter.body)
        .toSorted(),
    ).toEqual(['cats, please', 'not_found']);
  });
});

describe('a retry cannot be sent', () => {
  test.each(REFUSALS)('%s', async (fault) => {
    await trial.aws.send(bodyOf([trial.good('a'), trial.busy()], 4));
    trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, fault);
    expect((await trial.deliver()).unacknowledged).toHaveLength(1);
    expect(trial.faults.heal()).toBe(1);
    // Its own attempt: nothing was tried a fifth time.
    expect(trial.inQueue()).toEqual([{ ids: ['a', 'busy'], attempt: 4, hops: 0, receiveCount: 1, delaySeconds: 0 }]);
    await trial.deliverAll();
    expect(await trial.seen()).toEqual({ classified: ['a'], failed: { busy: 'server_error' } });
    expect(trial.inDeadLetters()).toEqual(['busy']);
  });
});

test('only half of the retries can be sent', async () => {
  // Another delay makes it another message.
  const patient = { id: 'patient', url: trial.rude.url('/status/503?retry-after=1') };
  await trial.aws.send(bodyOf([trial.good('a'), trial.busy(), patient], 4));
  trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 'last entry refused');
  expect((await trial.deliver()).unacknowledged).toHaveLength(1);
  expect(trial.faults.heal()).toBeGreaterThan(1);
  expect(trial.inQueue().toSorted((one, other) => one.attempt - other.attempt)).toEqual([
    { ids: ['a', 'busy', 'patient'], attempt: 4, hops: 0, receiveCount: 1, delaySeconds: 0 },
    { ids: ['busy'], attempt: 5, hops: 1, receiveCount: 0, delaySeconds: 0 },
  ]);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { busy: 'server_error', patient: 'server_error' } });
  expect(new Set(trial.inDeadLetters())).toEqual(new Set(['busy', 'patient']));
});

test('S3 does not respond', async () => {
  const hurried = await trial.startWorker({ timeoutSeconds: 6 });
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing()]));
  trial.faults.inject({ put: 'results/' }, 'silence');
  expect((await trial.deliver(hurried)).unacknowledged).toHaveLength(1);
  expect(trial.faults.heal()).toBe(1);
  await hurried.shutDown();
  expect((await trial.seen()).classified).toEqual([]);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(trial.inDeadLetters()).toEqual(['missing']);
});

test('the response to a write is lost', async () => {
  await trial.aws.send(bodyOf([trial.good('a')]), bodyOf([trial.missing()]), bodyOf([trial.busy()], 4));
  trial.faults.inject({ put: 'results/' }, 'reply lost');
  trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue-dlq' }, 'reply lost');
  trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 'reply lost');
  expect((await trial.deliver()).unacknowledged).toHaveLength(3);
  expect(trial.faults.heal()).toBe(3);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found', busy: 'server_error' } });
  expect(await trial.listed('results')).toBe(1);
  expect(trial.inDeadLetters()).toEqual(['busy', 'busy', 'missing', 'missing']);
});

test('deleting fails after success', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing()]));
  const deleter = new SQSClient({ ...trial.faults.clientConfig, maxAttempts: 1 });
  trial.faults.inject({ action: 'DeleteMessageBatch', queue: 'labelqueue' }, 500);
  expect((await trial.deliver(trial.worker, deleter)).unacknowledged).toEqual([]);
  expect(trial.faults.heal()).toBe(1);
  deleter.destroy();
  expect(trial.inQueue()).toEqual([{ ids: ['a', 'missing'], attempt: 1, hops: 0, receiveCount: 1, delaySeconds: 0 }]);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(trial.inDeadLetters()).toEqual(['missing', 'missing']);
});
