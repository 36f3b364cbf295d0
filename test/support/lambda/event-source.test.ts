import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../../../testkit/eventually.ts';
import { startScriptedFunction } from '../scripted-function.ts';
import { sharedByTests } from '../shared-by-tests.ts';

/** The visibility timeout is long: no message is redelivered during these tests. */
const [lambda] = await sharedByTests(startScriptedFunction({ visibilityTimeoutSeconds: 600, timeoutSeconds: 30 }));
afterEach(() => lambda.reset());

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `message ${index}`);
}

function batches(): string[][] {
  return lambda.invocations.map(({ bodies }) => bodies);
}

test('invokes the function with what is in the queue, and deletes what succeeded', async () => {
  await lambda.aws.send('one', 'two');
  lambda.feed();
  await lambda.allDone(2);
  expect(lambda.bodies()).toEqual(['one', 'two']);
  expect(lambda.invocations.flatMap(({ receiveCounts }) => receiveCounts)).toEqual(['1', '1']);
});

test('gives an invocation at most one batch of messages', async () => {
  await lambda.aws.send(...numbered(7));
  lambda.feed({ batchSize: 3 });
  await lambda.allDone(7);
  expect(batches().map(({ length }) => length)).toEqual([3, 3, 1]);
  expect(lambda.bodies().toSorted()).toEqual(numbered(7));
});

test('collects a batch from several receives', async () => {
  await lambda.aws.send(...numbered(25));
  lambda.feed({ batchSize: 25, windowSeconds: 1 });
  await lambda.allDone(25);
  expect(batches().map(({ length }) => length)).toEqual([25]);
});

test('waits for more messages until the window ends', async () => {
  lambda.feed({ windowSeconds: 1 });
  await lambda.aws.send('first');
  await lambda.aws.send('second');
  await lambda.allDone(2);
  expect(batches()).toEqual([['first', 'second']]);
});

test('does not wait without a window', async () => {
  lambda.feed({ windowSeconds: 0 });
  await lambda.aws.send('first');
  await lambda.allDone(1);
  await lambda.aws.send('second');
  await lambda.allDone(2);
  expect(batches()).toEqual([['first'], ['second']]);
});

test('gives each environment one invocation at a time, and uses several environments', async () => {
  const slow = numbered(6).map((body) => `slow ${body}`);
  await lambda.aws.send(...slow);
  lambda.feed({ environments: lambda.environments, batchSize: 1 });
  await lambda.allDone(6);
  expect(lambda.bodies().toSorted()).toEqual(slow);
  const byProcess = Map.groupBy(lambda.invocations, ({ pid }) => pid);
  expect(byProcess.size).toBe(2);
  for (const own of byProcess.values()) {
    own.slice(1).forEach(({ from }, index) => {
      expect(from).toBeGreaterThanOrEqual(own[index]?.to ?? Number.POSITIVE_INFINITY);
    });
  }
});

test('splits what exceeds the payload of an invocation', async () => {
  const large = numbered(8).map((body) => body.padEnd(900_000, '.'));
  for (const body of large) await lambda.aws.send(body);
  lambda.feed();
  await lambda.allDone(8);
  expect(batches().map(({ length }) => length)).toEqual([6, 2]);
  expect(lambda.bodies().toSorted()).toEqual(large);
});

test('finishes messages in flight when it is stopped, and receives no more', async () => {
  await lambda.aws.send('slow one');
  const source = lambda.feed({ batchSize: 1 });
  await eventually('the message is in hand', () => lambda.aws.queued()[0]?.receiveCount === 1);
  await lambda.aws.send('too late');
  await source.stop();
  expect(lambda.aws.queued()).toMatchObject([{ body: 'too late', receiveCount: 0 }]);
  await eventually('the log', () => lambda.bodies().length > 0);
  expect(lambda.bodies()).toEqual(['slow one']);
});

test('reports a deleted queue, and can still be stopped', async () => {
  const { AWS_ENDPOINT_URL } = lambda.aws.environment;
  const orphaned = lambda.feed({ queueUrl: `${AWS_ENDPOINT_URL}/000000000000/no-such-queue` });
  await expect(orphaned.ended()).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  await expect(orphaned.stop()).resolves.toBeUndefined();
});
