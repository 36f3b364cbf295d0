/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: messages come more than once. */
import { afterEach, expect, test } from '@jest/globals';
import { MAX_DELAY_SECONDS, MAX_RECEIVE_COUNT } from '../../../shared/contract/limits.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { bodyOf, startTrial } from '../../support/acknowledgement-trial.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [trial] = await sharedByTests(startTrial());
afterEach(() => trial.reset());

test('the same message is delivered twice', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing()]));
  const Records = await trial.receive();
  for (let delivery = 0; delivery < 2; delivery++) {
    expect(await trial.worker.invoke({ Records })).toEqual({ batchItemFailures: [] });
  }
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(await trial.listed('results')).toBe(1);
  expect(trial.inDeadLetters()).toEqual(['missing', 'missing']);
});

test('the same message is delivered twice at the same time', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing(), trial.busy()], 4));
  const Records = await trial.receive();
  const other = await trial.startWorker();
  const responses = await Promise.all([trial.worker, other].map((one) => one.invoke({ Records })));
  expect(responses).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
  await other.shutDown();
  expect(await trial.listed('results')).toBe(1);
  await trial.comeBack(Records);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found', busy: 'server_error' } });
  expect(new Set(trial.inDeadLetters())).toEqual(new Set(['busy', 'missing']));
});

test('a message of several images is delivered again', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing()], 2));
  await trial.deliverToNobody(1);
  const before = trial.pictures.requests;
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(trial.pictures.requests).toBe(before);
  expect(trial.inQueue()).toEqual([
    { ids: ['a'], attempt: 2, hops: 1, receiveCount: 0, delaySeconds: 0 },
    { ids: ['missing'], attempt: 2, hops: 1, receiveCount: 0, delaySeconds: 0 },
  ]);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(trial.inDeadLetters()).toEqual(['missing']);
});

test('a single image is delivered again', async () => {
  await trial.aws.send(bodyOf([trial.good('a')]), bodyOf([{ id: 'deadly', url: trial.pictures.url('/ABORT') }]));
  await trial.deliverToNobody(1);
  const { pid } = trial.worker;
  expect(await trial.deliver()).toMatchObject({ unacknowledged: [] });
  expect(trial.worker.pid).toBe(pid);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { deadly: 'worker_crashed' } });
  expect(trial.inQueue()).toEqual([]);
  expect(trial.inDeadLetters()).toEqual(['deadly']);
});

test('the worker dies at the last permitted delivery', async () => {
  await trial.aws.send(bodyOf([{ id: 'hanging', url: trial.rude.url('/hang') }]), bodyOf([trial.good('not-begun')]));
  await trial.deliverToNobody(MAX_RECEIVE_COUNT - 1);
  await killDuringHang();
  // SQS itself moves them.
  expect(await trial.receive()).toEqual([]);
  expect(await trial.seen()).toEqual({
    classified: [],
    failed: { hanging: 'worker_crashed', 'not-begun': 'worker_crashed' },
  });
  expect(trial.inDeadLetters()).toEqual(['hanging', 'not-begun']);
});

test('the worker dies of another message than the single image that is delivered again', async () => {
  await trial.aws.send(bodyOf([trial.good('a')]));
  await trial.deliverToNobody(1);
  await trial.aws.send(bodyOf([{ id: 'hanging', url: trial.rude.url('/hang') }, trial.good('b')]));
  await killDuringHang();
  expect((await trial.receive()).map(({ body }) => body)).toEqual([expect.stringContaining('hanging')]);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: {} });
  expect(trial.aws.deadLetters()).toEqual([]);
});

/** Delivers to a worker that is killed as soon as it fetches `/hang`. */
async function killDuringHang(): Promise<void> {
  const before = trial.rude.requests('/hang');
  const doomed = await trial.startWorker();
  const delivery = trial.deliver(doomed);
  await eventually('the image is fetched', () => trial.rude.requests('/hang') > before);
  process.kill(doomed.pid as number, 'SIGKILL');
  expect((await delivery).functionError).toBeDefined();
}

test('an image is classified at the last permitted delivery', async () => {
  await trial.aws.send(bodyOf([trial.good('a')]));
  await trial.deliverToNobody(MAX_RECEIVE_COUNT - 1);
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect((await trial.aws.failures('job')).map(({ error }) => error.code)).toEqual(['worker_crashed']);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: {} });
  expect(trial.aws.deadLetters()).toEqual([]);
});

test('the failure line cannot be written at the last permitted delivery', async () => {
  await trial.aws.send(bodyOf([trial.good('a')], 3));
  await trial.deliverToNobody(MAX_RECEIVE_COUNT - 1);
  trial.faults.inject({ put: 'failures/' }, 503);
  const before = trial.pictures.requests;
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(trial.faults.heal()).toBe(1);
  expect(trial.pictures.requests).toBe(before);
  expect(trial.inQueue()).toEqual([
    { ids: ['a'], attempt: 3, hops: 1, receiveCount: 0, delaySeconds: MAX_DELAY_SECONDS },
  ]);
  expect(trial.aws.deadLetters()).toEqual([]);
});

test('nothing can be written at the last permitted delivery', async () => {
  await trial.aws.send(bodyOf([trial.good('a')]), bodyOf([trial.good('b'), trial.good('c')]));
  await trial.deliverToNobody(MAX_RECEIVE_COUNT - 1);
  trial.faults.inject({ put: 'failures/' }, 503);
  trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 503);
  expect((await trial.deliver()).unacknowledged).toHaveLength(2);
  expect(trial.faults.heal()).toBeGreaterThan(1);
  expect(await trial.receive()).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: [], failed: {} });
  expect(trial.inDeadLetters()).toEqual(['a', 'b', 'c']);
  await trial.aws.send(...trial.aws.deadLetters().map(({ body }) => body));
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['a', 'b', 'c'], failed: {} });
});

test('several images cannot be split at the last permitted delivery', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.good('b')]));
  await trial.deliverToNobody(MAX_RECEIVE_COUNT - 1);
  trial.faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 503);
  expect((await trial.deliver()).unacknowledged).toHaveLength(1);
  expect(trial.faults.heal()).toBe(1);
  expect(await trial.receive()).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: [], failed: { a: 'worker_crashed', b: 'worker_crashed' } });
  expect(trial.inDeadLetters()).toEqual(['a', 'b']);
});
