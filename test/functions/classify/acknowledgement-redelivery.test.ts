/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: messages come more than once. */
import { afterEach, expect, test } from '@jest/globals';
import { MAX_DELAY_SECONDS, MAX_RECEIVE_COUNT } from '../../../shared/contract/limits.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [harness] = await sharedByTests(startHarness());
afterEach(() => harness.reset());

test('the same message is delivered twice', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing()]));
  const Records = await harness.receive();
  for (let delivery = 0; delivery < 2; delivery++) {
    expect(await harness.worker.invoke({ Records })).toEqual({ batchItemFailures: [] });
  }
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(await harness.listed('results')).toBe(1);
  expect(harness.inDeadLetters()).toEqual(['missing', 'missing']);
});

test('the same message is delivered twice at the same time', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing(), harness.busy()], 4));
  const Records = await harness.receive();
  const other = await harness.startWorker();
  const responses = await Promise.all([harness.worker, other].map((one) => one.invoke({ Records })));
  expect(responses).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
  await other.shutDown();
  expect(await harness.listed('results')).toBe(1);
  await harness.redeliver(Records);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found', busy: 'server_error' } });
  expect(new Set(harness.inDeadLetters())).toEqual(new Set(['busy', 'missing']));
});

test('a message of several images is delivered again', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing()], 2));
  await harness.receiveWithoutWorker(1);
  const before = harness.pictures.requests;
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(harness.pictures.requests).toBe(before);
  expect(harness.inQueue()).toEqual([
    { ids: ['a'], attempt: 2, hops: 1, receiveCount: 0, delaySeconds: 0 },
    { ids: ['missing'], attempt: 2, hops: 1, receiveCount: 0, delaySeconds: 0 },
  ]);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(harness.inDeadLetters()).toEqual(['missing']);
});

test('a single image is delivered again', async () => {
  await harness.aws.send(bodyOf([harness.good('a')]), bodyOf([{ id: 'poison', url: harness.pictures.url('/ABORT') }]));
  await harness.receiveWithoutWorker(1);
  const { pid } = harness.worker;
  expect(await harness.deliver()).toMatchObject({ unacknowledged: [] });
  expect(harness.worker.pid).toBe(pid);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { poison: 'worker_crashed' } });
  expect(harness.inQueue()).toEqual([]);
  expect(harness.inDeadLetters()).toEqual(['poison']);
});

test('the worker dies at the last permitted delivery', async () => {
  await harness.aws.send(
    bodyOf([{ id: 'hanging', url: harness.misbehaving.url('/hang') }]),
    bodyOf([harness.good('not-begun')]),
  );
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT - 1);
  await killDuringHang();
  // SQS itself moves them.
  expect(await harness.receive()).toEqual([]);
  expect(await harness.seen()).toEqual({
    classified: [],
    failed: { hanging: 'worker_crashed', 'not-begun': 'worker_crashed' },
  });
  expect(harness.inDeadLetters()).toEqual(['hanging', 'not-begun']);
});

test('the worker dies of another message than the single image that is delivered again', async () => {
  await harness.aws.send(bodyOf([harness.good('a')]));
  await harness.receiveWithoutWorker(1);
  await harness.aws.send(bodyOf([{ id: 'hanging', url: harness.misbehaving.url('/hang') }, harness.good('b')]));
  await killDuringHang();
  expect((await harness.receive()).map(({ body }) => body)).toEqual([expect.stringContaining('hanging')]);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: {} });
  expect(harness.aws.deadLetters()).toEqual([]);
});

/** Delivers to a worker that is killed as soon as it fetches `/hang`. */
async function killDuringHang(): Promise<void> {
  const before = harness.misbehaving.requests('/hang');
  const doomed = await harness.startWorker();
  const delivery = harness.deliver(doomed);
  await eventually('the image is fetched', () => harness.misbehaving.requests('/hang') > before);
  process.kill(doomed.pid as number, 'SIGKILL');
  expect((await delivery).functionError).toBeDefined();
}

test('an image is classified at the last permitted delivery', async () => {
  await harness.aws.send(bodyOf([harness.good('a')]));
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT - 1);
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect((await harness.aws.failures('job')).map(({ error }) => error.code)).toEqual(['worker_crashed']);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: {} });
  expect(harness.aws.deadLetters()).toEqual([]);
});

test('the failure line cannot be written at the last permitted delivery', async () => {
  await harness.aws.send(bodyOf([harness.good('a')], 3));
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT - 1);
  harness.faults.inject({ put: 'failures/' }, 503);
  const before = harness.pictures.requests;
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(harness.faults.heal()).toBe(1);
  expect(harness.pictures.requests).toBe(before);
  expect(harness.inQueue()).toEqual([
    { ids: ['a'], attempt: 3, hops: 1, receiveCount: 0, delaySeconds: MAX_DELAY_SECONDS },
  ]);
  expect(harness.aws.deadLetters()).toEqual([]);
});

test('nothing can be written at the last permitted delivery', async () => {
  await harness.aws.send(bodyOf([harness.good('a')]), bodyOf([harness.good('b'), harness.good('c')]));
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT - 1);
  harness.faults.inject({ put: 'failures/' }, 503);
  harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 503);
  expect((await harness.deliver()).unacknowledged).toHaveLength(2);
  expect(harness.faults.heal()).toBeGreaterThan(1);
  expect(await harness.receive()).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: [], failed: {} });
  expect(harness.inDeadLetters()).toEqual(['a', 'b', 'c']);
  await harness.aws.send(...harness.aws.deadLetters().map(({ body }) => body));
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a', 'b', 'c'], failed: {} });
});

test('several images cannot be split at the last permitted delivery', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.good('b')]));
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT - 1);
  harness.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 503);
  expect((await harness.deliver()).unacknowledged).toHaveLength(1);
  expect(harness.faults.heal()).toBe(1);
  expect(await harness.receive()).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: [], failed: { a: 'worker_crashed', b: 'worker_crashed' } });
  expect(harness.inDeadLetters()).toEqual(['a', 'b']);
});
