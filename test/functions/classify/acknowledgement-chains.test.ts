/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: hosts that do not answer, and chains of messages. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  MAX_EXPENSIVE_IMAGES,
  MAX_FETCHES_PER_HOST,
  MAX_HOPS,
  MAX_RECEIVE_COUNT,
  REST_IN_FETCH_TIMEOUTS,
} from '../../../shared/contract/limits.ts';
import { formatMessage } from '../../../shared/contract/message.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import type { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { readPhoto } from '../../classifier/pictures.ts';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';
import { withJpegSegments } from '../../support/expensive-images.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { startSwitchableHosts } from '../../support/switchable-hosts.ts';

const FETCH_TIMEOUT_SECONDS = 0.5;
const REST_SECONDS = FETCH_TIMEOUT_SECONDS * REST_IN_FETCH_TIMEOUTS;

const [harness, slow, ...silent] = await sharedByTests(
  startHarness(),
  startSwitchableHosts(3, 'hang'),
  ...(['hang', 'stall', 'drip'] as const).map((behaviour) => startSwitchableHosts(1, behaviour)),
);
let worker: ExecutionEnvironment;

afterEach(async () => {
  await worker.shutDown();
  harness.reset();
});

async function startImpatientWorker(): Promise<void> {
  worker = await harness.startWorker({
    environment: {
      FETCH_TIMEOUT_SECONDS: String(FETCH_TIMEOUT_SECONDS),
      ALLOWED_HOSTS: [
        harness.pictures.host,
        harness.misbehaving.host,
        ...[slow, ...silent].flatMap(({ hosts }) => hosts),
      ].join(','),
    },
  });
}

/** Delivers until the queue is empty. @returns how many invocations had each image */
async function deliverAllCounting(afterEachDelivery: () => void = () => {}): Promise<Map<string, number>> {
  const invocations = new Map<string, number>();
  while (harness.inQueue().length > 0) {
    const { records } = await harness.deliver(worker);
    for (const { body } of records) {
      for (const { id } of JSON.parse(body).images) invocations.set(id, (invocations.get(id) ?? 0) + 1);
    }
    if (records.length > 0) afterEachDelivery();
    else await delay(100);
  }
  return invocations;
}

test('a host has stopped responding', async () => {
  await startImpatientWorker();
  slow.behaviour = 'hang';
  const onOneHost = slow.images('image', 60).filter((_, number) => number % 3 === 0);
  await harness.aws.send(bodyOf([...onOneHost, harness.good('good')], 2));

  expect((await harness.deliver(worker)).unacknowledged).toEqual([]);

  const [putOff, retried] = harness.inQueue().toSorted((one, other) => one.attempt - other.attempt);
  // Those that were being fetched have had an attempt; the others have not, and wait until the host may be asked again.
  expect(retried).toMatchObject({ attempt: 3, hops: 1, delaySeconds: 0 });
  expect(retried?.ids).toHaveLength(MAX_FETCHES_PER_HOST);
  expect(putOff).toMatchObject({ attempt: 2, hops: 1, delaySeconds: Math.ceil(REST_SECONDS) });
  expect([...(retried?.ids ?? []), ...(putOff?.ids ?? [])].toSorted()).toEqual(
    onOneHost.map(({ id }) => id).toSorted(),
  );
  expect(await harness.seen()).toEqual({ classified: ['good'], failed: {} });

  // The next message with its images costs nothing, since the same process has it, or one probe after the rest.
  const before = slow.requests.length;
  await harness.deliver(worker);
  expect(slow.requests.length - before).toBeLessThanOrEqual(1);
});

test('a host that has stopped responding responds again', async () => {
  await startImpatientWorker();
  slow.behaviour = 'hang';
  const images = slow.images('image', 300);
  await harness.aws.send(bodyOf(images));
  let deliveries = 0;
  await deliverAllCounting(() => {
    if (++deliveries === 4) slow.behaviour = 'answer';
  });
  expect(deliveries).toBeGreaterThan(4);
  expect(await harness.seen()).toEqual({ classified: images.map(({ id }) => id).toSorted(), failed: {} });
  expect(harness.aws.deadLetters()).toEqual([]);
}, 300_000);

test('a host never responds', async () => {
  await startImpatientWorker();
  const images = silent.flatMap((hosts) => hosts.images(hosts.behaviour, 330));
  await harness.aws.send(bodyOf(images));

  const invocations = await deliverAllCounting();

  expect(Math.max(...invocations.values())).toBeLessThanOrEqual(MAX_HOPS + 1);
  const { classified, failed } = await harness.seen();
  expect(classified).toEqual([]);
  expect(Object.keys(failed).toSorted()).toEqual(images.map(({ id }) => id).toSorted());
  expect(new Set(Object.values(failed))).toEqual(new Set(['timeout']));
  expect(harness.inDeadLetters()).toEqual(images.map(({ id }) => id).toSorted());
  // With five attempts for each image it would be 5 * 330.
  for (const { requests } of silent) expect(requests.length).toBeLessThan(330 / 2);
}, 300_000);

describe('an image is not done when its message has been sent on eleven times', () => {
  test('it was fetched in vain', async () => {
    await startImpatientWorker();
    await harness.aws.send(bodyOf([harness.busy(), harness.good('good')], 2, MAX_HOPS));
    expect((await harness.deliver(worker)).unacknowledged).toEqual([]);
    expect(await harness.seen()).toEqual({ classified: ['good'], failed: { busy: 'server_error' } });
    expect(harness.inDeadLetters()).toEqual(['busy']);
    expect(harness.inQueue()).toEqual([]);
  });

  test('it was not reached', async () => {
    await startImpatientWorker();
    const hasty = await harness.startWorker({ timeoutSeconds: 6 });
    harness.pictures.delayMs = 3_000;
    await harness.aws.send(bodyOf([harness.good('late')], 2, MAX_HOPS));
    expect((await harness.deliver(hasty)).unacknowledged).toEqual([]);
    harness.pictures.delayMs = 0;
    await hasty.shutDown();
    expect(await harness.seen()).toEqual({ classified: [], failed: { late: 'timeout' } });
    expect(harness.inDeadLetters()).toEqual(['late']);
    expect(harness.inQueue()).toEqual([]);
  });

  test('its host rests', async () => {
    await startImpatientWorker();
    slow.behaviour = 'hang';
    const images = slow.images('image', 60).filter((_, number) => number % 3 === 0);
    await harness.aws.send(bodyOf(images, 2, MAX_HOPS));
    expect((await harness.deliver(worker)).unacknowledged).toEqual([]);
    expect(Object.keys((await harness.seen()).failed).toSorted()).toEqual(images.map(({ id }) => id).toSorted());
    expect(harness.inQueue()).toEqual([]);
  });
});

test('more images are expensive to decode than can wait for their turn', async () => {
  const photo = withJpegSegments(await readPhoto('coffee.jpg'), 100_000);
  await using server = await startImageServer(undefined, { expensive: ({ response }) => void response.end(photo) });
  worker = await harness.startWorker({
    environment: { ALLOWED_HOSTS: [harness.pictures.host, server.host].join(',') },
  });
  const ids = Array.from({ length: 40 }, (_, number) => `expensive-${number}`);
  const expensive = ids.map((id) => ({ id, url: server.url(`/expensive/${id}`) }));
  await harness.aws.send(bodyOf([...expensive, harness.good('good')], 2));

  expect((await harness.deliver(worker)).unacknowledged).toEqual([]);

  const queue = harness.inQueue();
  expect(queue).toEqual([
    expect.objectContaining({ attempt: 2, hops: 1 }),
    expect.objectContaining({ attempt: 2, hops: 1 }),
  ]);
  expect(new Set(queue.map(({ delaySeconds }) => delaySeconds > 0))).toEqual(new Set([true]));
  const { classified, failed } = await harness.seen();
  expect(failed).toEqual({});
  expect(classified.length).toBeGreaterThan(MAX_EXPENSIVE_IMAGES);
  expect([...classified, ...queue.flatMap((message) => message.ids)].toSorted()).toEqual([...ids, 'good'].toSorted());
}, 120_000);

test('a dead letter of a chain is moved back to the queue', async () => {
  await startImpatientWorker();
  const image = { id: 'late', url: harness.misbehaving.url('/once/503/late') };
  await harness.aws.send(bodyOf([image], 1, MAX_HOPS));
  await harness.deliver(worker);
  expect(await harness.seen()).toEqual({ classified: [], failed: { late: 'server_error' } });
  const [letter] = harness.aws.deadLetters();
  await harness.aws.send(letter?.body ?? '');
  expect(harness.inQueue()).toMatchObject([{ ids: ['late'], attempt: 1, hops: 0 }]);
  await harness.deliver(worker);
  expect(await harness.seen()).toEqual({ classified: ['late'], failed: {} });
});

test('several images that have been sent on eleven times are delivered again', async () => {
  await startImpatientWorker();
  const poison = { id: 'poison', url: harness.pictures.url('/ABORT') };
  await harness.aws.send(bodyOf([harness.good('a'), poison, harness.good('b'), harness.busy()], 2, MAX_HOPS));
  await harness.receiveWithoutWorker(1);
  const { pid } = worker;
  expect(await harness.deliver(worker)).toMatchObject({ unacknowledged: [] });
  expect(worker.pid).toBe(pid);
  expect(await harness.seen()).toEqual({
    classified: ['a', 'b'],
    failed: { poison: 'worker_crashed', busy: 'server_error' },
  });
  expect(harness.inQueue()).toEqual([]);
  expect(harness.inDeadLetters()).toEqual(['busy', 'poison']);
});

test('at the last permitted delivery the failure line cannot be written, nor the message sent on once more', async () => {
  await startImpatientWorker();
  await harness.aws.send(bodyOf([harness.good('a')], 3, MAX_HOPS));
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT - 1);
  harness.faults.inject({ put: 'failures/' }, 503);
  expect((await harness.deliver(worker)).unacknowledged).toHaveLength(1);
  harness.faults.heal();
  expect(await harness.receive()).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: [], failed: {} });
  expect(harness.inDeadLetters()).toEqual(['a']);
});

describe('a message is done while slow hosts hold up others', () => {
  test.each<[what: string, otherJob: string]>([
    ['of another job', 'slow'],
    ['of the same job', 'job'],
  ])('%s', async (_what, otherJob) => {
    worker = await harness.startWorker({
      environment: { ALLOWED_HOSTS: [harness.pictures.host, ...slow.hosts].join(',') },
    });
    slow.behaviour = 'hang';
    slow.requests.length = 0;
    await harness.aws.send(
      formatMessage({ job: otherJob, attempt: 1, images: slow.images('slow', 3) }),
      bodyOf([harness.good('good')]),
    );
    const delivery = harness.deliver(worker);
    await eventually('the result is written', async () => (await harness.seen()).classified.includes('good'));
    // Nobody has heard from the slow hosts yet, or given them up.
    expect((await harness.seen(otherJob)).failed).toEqual({});
    expect(harness.inQueue().every(({ hops }) => hops === 0)).toBe(true);
    await worker.shutDown();
    await delivery;
  });
});
