import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import type { WorkLoopOptions } from '../../worker/loop-parts.ts';
import type { WorkLoop } from '../../worker/work-loop.ts';
import { type ScriptedFunction, startScriptedFunction } from '../support/scripted-function.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { type Call, startTargetedFaults, type TargetedFaults } from '../support/targeted-faults.ts';

/** Short, so that it ends while a test waits; long against what a busy machine takes. */
const VISIBILITY_SECONDS = 4;

/** A queue with a function, and faults between the loop and SQS. */
type Scene = AsyncDisposable & {
  lambda: ScriptedFunction;
  faults: TargetedFaults;
  /** The SQS actions that the loop has called since the last reset. */
  actions: string[];
  work(options?: Partial<WorkLoopOptions>): WorkLoop;
  reset(): Promise<void>;
};

async function startScene(): Promise<Scene> {
  const lambda = await startScriptedFunction({ visibilityTimeoutSeconds: VISIBILITY_SECONDS, timeoutSeconds: 60 });
  const actions: string[] = [];
  const note = ({ headers }: Call) => actions.push(String(headers['x-amz-target']).replace('AmazonSQS.', ''));
  const faults = await startTargetedFaults(lambda.aws, note);
  const sqs = new SQSClient({ ...faults.clientConfig, useQueueUrlAsEndpoint: false, maxAttempts: 1 });
  const reset = async () => {
    faults.heal();
    await lambda.reset();
    actions.length = 0;
  };
  return {
    lambda,
    faults,
    actions,
    work: (options) => lambda.work({ sqs, longestWaitMs: 20, ...options }),
    reset,
    async [Symbol.asyncDispose]() {
      await reset();
      sqs.destroy();
      await faults[Symbol.asyncDispose]();
      await lambda[Symbol.asyncDispose]();
    },
  };
}

const [shared] = await sharedByTests(startScene());
const { lambda, work } = shared;
afterEach(() => shared.reset());

const RENEWAL = { action: 'ChangeMessageVisibilityBatch', queue: 'labelqueue' } as const;
const DELETION = { action: 'DeleteMessageBatch', queue: 'labelqueue' } as const;

test('invokes the function with what is in the queue, and acknowledges what succeeded', async () => {
  await lambda.aws.send('one', 'two');
  const loop = work();
  await lambda.allDone(2);
  expect(lambda.bodies().toSorted()).toEqual(['one', 'two']);
  await eventually('the counts', () => loop.counts.acknowledged === 2);
  expect(loop.counts).toMatchObject({ received: 2, left: 0, lost: 0, givenBack: 0 });
});

test('gives an invocation at most one batch of messages', async () => {
  await lambda.aws.send(...Array.from({ length: 7 }, (_, index) => `message ${index}`));
  work({ batchSize: 3 });
  await lambda.allDone(7);
  expect(Math.max(...lambda.invocations.map(({ bodies }) => bodies.length))).toBeLessThanOrEqual(3);
});

test('returns its messages to the queue when no process can be started any more', async () => {
  const folder = await createTemporaryFolder();
  const handler = join(import.meta.dirname, '../support/scripted-handler.ts');
  const handlerPath = await folder.write('handler.mjs', `export { handler } from ${JSON.stringify(handler)};`);
  const mortal = new ExecutionEnvironment({ handlerPath, timeoutSeconds: 60, environment: {}, onLog() {} });
  const loop = work({ environments: [mortal], batchSize: 1 });
  await lambda.aws.send('takes 60000 at work');
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await eventually('the other waits', () => loop.held.waiting === 1);
  await folder[Symbol.asyncDispose]();
  mortal.kill();
  await eventually('it was given back', () => loop.counts.givenBack === 1);
  expect(loop.held).toEqual({ waiting: 0, inWork: 0 });
  await loop.stop(0);
});

test('acknowledges again the messages of a batch that SQS refused', async () => {
  shared.faults.inject(DELETION, 'last entry refused', 1);
  await lambda.aws.send('one', 'two', 'three');
  work();
  await eventually('none is left', () => lambda.aws.queued().length === 0);
  expect(shared.faults.hits()).toBe(1);
  expect(lambda.bodies()).toHaveLength(3);
});

test('on a stop finishes messages in flight while there is time, and receives no more', async () => {
  await lambda.aws.send('takes 500 first', 'takes 500 second');
  const loop = work({ batchSize: 1 });
  await eventually('one is at work', () => loop.held.inWork === 1 && loop.held.waiting === 1);
  await loop.stop(60_000);
  await lambda.aws.send('too late');
  expect(lambda.bodies()).toEqual(['takes 500 first', 'takes 500 second']);
  expect(loop.counts).toMatchObject({ acknowledged: 2, givenBack: 0 });
  expect(lambda.aws.queued()).toMatchObject([{ body: 'too late', receiveCount: 0 }]);
});

test('returns messages that cannot be finished in time to the queue, visible at once', async () => {
  await lambda.aws.send('takes 60000 at work');
  const loop = work({ batchSize: 1 });
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await eventually('the other waits', () => loop.held.waiting === 1);
  const pid = lambda.environments[0]?.pid;
  await loop.stop(500);
  expect(loop.counts).toMatchObject({ acknowledged: 0, givenBack: 2, failures: 0 });
  // Its process must be gone before others are given its message.
  expect(lambda.environments[0]?.pid).not.toBe(pid);
  const other = lambda.work({ environments: lambda.environments.slice(1), batchSize: 1 });
  await eventually('another one has both', () => other.counts.received === 2);
  await other.stop(0);
});

test('returns messages that were not started at once when no more may start', async () => {
  await lambda.aws.send('takes 1500 at work');
  const loop = work({ batchSize: 1 });
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await eventually('the other waits', () => loop.held.waiting === 1);
  await loop.stop(Number.POSITIVE_INFINITY, false);
  await eventually('the log', () => lambda.bodies().length > 0);
  expect(lambda.bodies()).toEqual(['takes 1500 at work']);
  expect(loop.counts).toMatchObject({ acknowledged: 1, givenBack: 1 });
});

test('restarts a process that was killed while it was idle, before there is work for it', async () => {
  const loop = work();
  await eventually('it is ready', () => loop.readyProcesses === 1);
  const pid = lambda.environments[0]?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await eventually('another one is ready', () => ![undefined, pid].includes(lambda.environments[0]?.pid));
  await lambda.aws.send('fine');
  await lambda.allDone(1);
});

test('replaces a process that holds too much memory, between two batches', async () => {
  const loop = work({ batchSize: 1, processMemoryBytes: 1 });
  await lambda.aws.send('one', 'two');
  await lambda.allDone(2);
  const pids = lambda.invocations.map(({ pid }) => pid);
  expect(new Set(pids).size).toBe(2);
  expect(loop.counts.failures).toBe(0);
});

test('ends with the error of a process when none ever starts', async () => {
  await using broken = brokenEnvironment();
  await lambda.aws.send('never taken');
  const loop = work({ environments: [broken.environment] });
  await expect(loop.ended()).rejects.toMatchObject({
    name: 'ProcessStartError',
    message: expect.stringContaining('no-such-handler.ts'),
  });
  await loop.stop(0);
  expect(lambda.aws.queued()).toMatchObject([{ body: 'never taken', receiveCount: 0 }]);
});

test('can be stopped at once while a starting process hangs', async () => {
  const hanging = new ExecutionEnvironment({
    handlerPath: join(import.meta.dirname, '../support/unready-handler.ts'),
    timeoutSeconds: 1,
    environment: { UNREADY: 'hangs' },
    onLog() {},
  });
  const loop = work({ environments: [hanging] });
  await eventually('it starts', () => hanging.pid !== undefined);
  // Longer than this test may take.
  await loop.stop(600_000);
  expect(hanging.pid).toBeUndefined();
  expect(lambda.errors).toEqual([]);
});

test('continues with the started processes when another one does not start', async () => {
  await using broken = brokenEnvironment();
  const [fine] = lambda.environments;
  if (fine === undefined) throw new Error('expected an environment');
  const loop = work({ environments: [fine, broken.environment] });
  await lambda.aws.send('one', 'two', 'three');
  await lambda.allDone(3);
  expect(loop.readyProcesses).toBe(1);
});

// Each waits most of the time, so all of them run at once, beside the tests above.
test.concurrent('neither starts nor acknowledges a message whose heartbeats failed', async () => {
  await using scene = await startScene();
  const { lambda, faults, actions, work } = scene;
  faults.inject(RENEWAL, 503);
  const long = `takes ${1.5 * VISIBILITY_SECONDS * 1_000} long`;
  await lambda.aws.send(long);
  const loop = work({ batchSize: 1 });
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await eventually('the other waits', () => loop.held.waiting === 1);
  await eventually('its lease ends', () => loop.counts.lost > 0);
  // Nothing of the first delivery is acknowledged, though its work was done.
  await eventually('the first is done', () => lambda.bodies().includes(long));
  expect(actions).not.toContain('DeleteMessageBatch');
  faults.heal();
  await eventually('both are done', () => lambda.aws.queued().length === 0);
  const counts = lambda.invocations
    .filter(({ bodies }) => bodies.includes('waits'))
    .flatMap(({ receiveCounts }) => receiveCounts);
  expect(counts).toHaveLength(1);
  expect(Number(counts[0])).toBeGreaterThan(1);
});

test.concurrent('no message is delivered twice, however long it is processed or waits', async () => {
  await using scene = await startScene();
  const { lambda, work } = scene;
  const long = `takes ${2.5 * VISIBILITY_SECONDS * 1_000} long`;
  await lambda.aws.send(long);
  const loop = work({ batchSize: 1 });
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await lambda.allDone(2);
  expect(lambda.invocations.map(({ bodies, receiveCounts }) => [bodies, receiveCounts])).toEqual([
    [[long], ['1']],
    [['waits'], ['1']],
  ]);
  expect(loop.counts).toMatchObject({ received: 2, lost: 0 });
});

test.concurrent('renews visibility timeouts in batches', async () => {
  await using scene = await startScene();
  const { lambda, actions, work } = scene;
  await lambda.aws.send(...Array.from({ length: 10 }, (_, index) => `takes ${VISIBILITY_SECONDS * 1_000} ${index}`));
  work();
  await lambda.allDone(10);
  const renewals = actions.filter((action) => action === 'ChangeMessageVisibilityBatch').length;
  expect(renewals).toBeGreaterThan(0);
  expect(renewals).toBeLessThan(10);
});

test.concurrent('does not count messages as lost that the handler has deleted itself', async () => {
  await using scene = await startScene();
  const { lambda, actions, work } = scene;
  await lambda.aws.send(`takes ${1.5 * VISIBILITY_SECONDS * 1_000} long`);
  const loop = work();
  await eventually('it is at work', () => loop.held.inWork === 1);
  lambda.aws.clear();
  await eventually('it is done', () => loop.held.inWork === 0);
  expect(actions).toContain('ChangeMessageVisibilityBatch');
  expect(loop.counts).toMatchObject({ received: 1, acknowledged: 1, lost: 0, left: 0 });
});

test.concurrent('starts no message whose visibility timeout SQS reports as ended', async () => {
  await using scene = await startScene();
  const { lambda, work } = scene;
  await lambda.aws.send('takes 3000 first');
  const loop = work({ batchSize: 1 });
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await eventually('the other waits', () => loop.held.waiting === 1);
  lambda.aws.clear();
  await eventually('the loop has noticed', () => loop.counts.lost > 0);
  expect(loop.held.waiting).toBe(0);
  expect(lambda.bodies()).not.toContain('waits');
});

test.concurrent('distributes the last messages among its processes', async () => {
  await using scene = await startScene();
  const { lambda, work } = scene;
  await lambda.aws.send(...Array.from({ length: 6 }, (_, index) => `takes 1000 ${index}`));
  work({ environments: lambda.environments });
  await lambda.allDone(6);
  const byProcess = Map.groupBy(lambda.invocations, ({ pid }) => pid);
  expect(byProcess.size).toBe(2);
});

test.concurrent('prefetches the next batch while a process is busy', async () => {
  await using scene = await startScene();
  const { lambda, work } = scene;
  await lambda.aws.send('takes 3000 first');
  const loop = work({ batchSize: 1 });
  await eventually('the first is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('second', 'third');
  await eventually('the second is in hand', () => loop.held.waiting === 1);
  expect(lambda.aws.queued().map(({ body, receiveCount }) => [body, receiveCount])).toContainEqual(['third', 0]);
  await lambda.allDone(3);
});

function brokenEnvironment(): AsyncDisposable & { environment: ExecutionEnvironment } {
  const handlerPath = join(import.meta.dirname, 'no-such-handler.ts');
  const environment = new ExecutionEnvironment({ handlerPath, timeoutSeconds: 1, environment: {}, onLog() {} });
  return { environment, [Symbol.asyncDispose]: () => environment.shutDown() };
}
