/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: hosts that do not answer, and chains of messages. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
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
import { bodyOf, startTrial, type Trial } from '../../support/acknowledgement-trial.ts';
import { withJpegSegments } from '../../support/expensive-images.ts';
import { type MoodyHosts, startMoodyHosts } from '../../support/moody-hosts.ts';

const FETCH_TIMEOUT_SECONDS = 0.5;
const REST_SECONDS = FETCH_TIMEOUT_SECONDS * REST_IN_FETCH_TIMEOUTS;

let trial: Trial;
let moody: MoodyHosts;
let silent: MoodyHosts[];
let worker: ExecutionEnvironment;

beforeAll(async () => {
  [trial, moody] = await Promise.all([startTrial(), startMoodyHosts(3, 'hang')]);
  silent = await Promise.all((['hang', 'stall', 'drip'] as const).map((mood) => startMoodyHosts(1, mood)));
});
afterEach(async () => {
  await worker.shutDown();
  trial.reset();
});
afterAll(async () => {
  await Promise.all([moody, ...silent].map((hosts) => hosts[Symbol.asyncDispose]()));
  await trial.stop();
});

async function startImpatientWorker(): Promise<void> {
  worker = await trial.startWorker({
    environment: {
      FETCH_TIMEOUT_SECONDS: String(FETCH_TIMEOUT_SECONDS),
      ALLOWED_HOSTS: [trial.pictures.host, trial.rude.host, ...[moody, ...silent].flatMap(({ hosts }) => hosts)].join(
        ',',
      ),
    },
  });
}

/** Delivers until the queue is empty. @returns how many invocations had each image */
async function deliverAllCounting(afterEachDelivery: () => void = () => {}): Promise<Map<string, number>> {
  const invocations = new Map<string, number>();
  while (trial.inQueue().length > 0) {
    const { records } = await trial.deliver(worker);
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
  moody.mood = 'hang';
  const onOneHost = moody.images('image', 60).filter((_, number) => number % 3 === 0);
  await trial.aws.send(bodyOf([...onOneHost, trial.good('good')], 2));

  expect((await trial.deliver(worker)).unacknowledged).toEqual([]);

  const [putOff, retried] = trial.inQueue().toSorted((one, other) => one.attempt - other.attempt);
  // Those that were being fetched have had an attempt; the others have not, and wait until the host may be asked again.
  expect(retried).toMatchObject({ attempt: 3, hops: 1, delaySeconds: 0 });
  expect(retried?.ids).toHaveLength(MAX_FETCHES_PER_HOST);
  expect(putOff).toMatchObject({ attempt: 2, hops: 1, delaySeconds: Math.ceil(REST_SECONDS) });
  expect([...(retried?.ids ?? []), ...(putOff?.ids ?? [])].toSorted()).toEqual(
    onOneHost.map(({ id }) => id).toSorted(),
  );
  expect(await trial.seen()).toEqual({ classified: ['good'], failed: {} });

  // The next message with its images costs nothing, since the same process has it, or one probe after the rest.
  const before = moody.requests.length;
  await trial.deliver(worker);
  expect(moody.requests.length - before).toBeLessThanOrEqual(1);
});

test('a host that has stopped responding responds again', async () => {
  await startImpatientWorker();
  moody.mood = 'hang';
  const images = moody.images('image', 300);
  await trial.aws.send(bodyOf(images));
  let deliveries = 0;
  await deliverAllCounting(() => {
    if (++deliveries === 4) moody.mood = 'answer';
  });
  expect(deliveries).toBeGreaterThan(4);
  expect(await trial.seen()).toEqual({ classified: images.map(({ id }) => id).toSorted(), failed: {} });
  expect(trial.aws.deadLetters()).toEqual([]);
}, 300_000);

test('a host never responds', async () => {
  await startImpatientWorker();
  const images = silent.flatMap((hosts) => hosts.images(hosts.mood, 330));
  await trial.aws.send(bodyOf(images));

  const invocations = await deliverAllCounting();

  expect(Math.max(...invocations.values())).toBeLessThanOrEqual(MAX_HOPS + 1);
  const { classified, failed } = await trial.seen();
  expect(classified).toEqual([]);
  expect(Object.keys(failed).toSorted()).toEqual(images.map(({ id }) => id).toSorted());
  expect(new Set(Object.values(failed))).toEqual(new Set(['timeout']));
  expect(trial.inDeadLetters()).toEqual(images.map(({ id }) => id).toSorted());
  // With five attempts for each image it would be 5 * 330.
  for (const { requests } of silent) expect(requests.length).toBeLessThan(330 / 2);
}, 300_000);

describe('an image is not done when its message has been sent on eleven times', () => {
  test('it was fetched in vain', async () => {
    await startImpatientWorker();
    await trial.aws.send(bodyOf([trial.busy(), trial.good('good')], 2, MAX_HOPS));
    expect((await trial.deliver(worker)).unacknowledged).toEqual([]);
    expect(await trial.seen()).toEqual({ classified: ['good'], failed: { busy: 'server_error' } });
    expect(trial.inDeadLetters()).toEqual(['busy']);
    expect(trial.inQueue()).toEqual([]);
  });

  test('it was not reached', async () => {
    await startImpatientWorker();
    const hasty = await trial.startWorker({ timeoutSeconds: 6 });
    trial.pictures.delayMs = 3_000;
    await trial.aws.send(bodyOf([trial.good('late')], 2, MAX_HOPS));
    expect((await trial.deliver(hasty)).unacknowledged).toEqual([]);
    trial.pictures.delayMs = 0;
    await hasty.shutDown();
    expect(await trial.seen()).toEqual({ classified: [], failed: { late: 'timeout' } });
    expect(trial.inDeadLetters()).toEqual(['late']);
    expect(trial.inQueue()).toEqual([]);
  });

  test('its host rests', async () => {
    await startImpatientWorker();
    moody.mood = 'hang';
    const images = moody.images('image', 60).filter((_, number) => number % 3 === 0);
    await trial.aws.send(bodyOf(images, 2, MAX_HOPS));
    expect((await trial.deliver(worker)).unacknowledged).toEqual([]);
    expect(Object.keys((await trial.seen()).failed).toSorted()).toEqual(images.map(({ id }) => id).toSorted());
    expect(trial.inQueue()).toEqual([]);
  });
});

test('more images are expensive to decode than can wait for their turn', async () => {
  const photo = withJpegSegments(await readPhoto('coffee.jpg'), 100_000);
  await using server = await startImageServer(undefined, { expensive: ({ response }) => void response.end(photo) });
  worker = await trial.startWorker({ environment: { ALLOWED_HOSTS: [trial.pictures.host, server.host].join(',') } });
  const ids = Array.from({ length: 40 }, (_, number) => `expensive-${number}`);
  const expensive = ids.map((id) => ({ id, url: server.url(`/expensive/${id}`) }));
  await trial.aws.send(bodyOf([...expensive, trial.good('good')], 2));

  expect((await trial.deliver(worker)).unacknowledged).toEqual([]);

  const queue = trial.inQueue();
  expect(queue).toEqual([
    expect.objectContaining({ attempt: 2, hops: 1 }),
    expect.objectContaining({ attempt: 2, hops: 1 }),
  ]);
  expect(new Set(queue.map(({ delaySeconds }) => delaySeconds > 0))).toEqual(new Set([true]));
  const { classified, failed } = await trial.seen();
  expect(failed).toEqual({});
  expect(classified.length).toBeGreaterThan(MAX_EXPENSIVE_IMAGES);
  expect([...classified, ...queue.flatMap((message) => message.ids)].toSorted()).toEqual([...ids, 'good'].toSorted());
}, 120_000);

test('a dead letter of a chain is moved back to the queue', async () => {
  await startImpatientWorker();
  const image = { id: 'late', url: trial.rude.url('/once/503/late') };
  await trial.aws.send(bodyOf([image], 1, MAX_HOPS));
  await trial.deliver(worker);
  expect(await trial.seen()).toEqual({ classified: [], failed: { late: 'server_error' } });
  const [letter] = trial.aws.deadLetters();
  await trial.aws.send(letter?.body ?? '');
  expect(trial.inQueue()).toMatchObject([{ ids: ['late'], attempt: 1, hops: 0 }]);
  await trial.deliver(worker);
  expect(await trial.seen()).toEqual({ classified: ['late'], failed: {} });
});

test('several images that have been sent on eleven times are delivered again', async () => {
  await startImpatientWorker();
  const deadly = { id: 'deadly', url: trial.pictures.url('/ABORT') };
  await trial.aws.send(bodyOf([trial.good('a'), deadly, trial.good('b'), trial.busy()], 2, MAX_HOPS));
  await trial.deliverToNobody(1);
  const { pid } = worker;
  expect(await trial.deliver(worker)).toMatchObject({ unacknowledged: [] });
  expect(worker.pid).toBe(pid);
  expect(await trial.seen()).toEqual({
    classified: ['a', 'b'],
    failed: { deadly: 'worker_crashed', busy: 'server_error' },
  });
  expect(trial.inQueue()).toEqual([]);
  expect(trial.inDeadLetters()).toEqual(['busy', 'deadly']);
});

test('at the last permitted delivery the failure line cannot be written, nor the message sent on once more', async () => {
  await startImpatientWorker();
  await trial.aws.send(bodyOf([trial.good('a')], 3, MAX_HOPS));
  await trial.deliverToNobody(MAX_RECEIVE_COUNT - 1);
  trial.faults.inject({ put: 'failures/' }, 503);
  expect((await trial.deliver(worker)).unacknowledged).toHaveLength(1);
  trial.faults.heal();
  expect(await trial.receive()).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: [], failed: {} });
  expect(trial.inDeadLetters()).toEqual(['a']);
});

describe('a message is done while slow hosts hold up others', () => {
  test.each<[what: string, otherJob: string]>([
    ['of another job', 'slow'],
    ['of the same job', 'job'],
  ])('%s', async (_what, otherJob) => {
    worker = await trial.startWorker({
      environment: { ALLOWED_HOSTS: [trial.pictures.host, ...moody.hosts].join(',') },
    });
    moody.mood = 'hang';
    moody.requests.length = 0;
    await trial.aws.send(
      formatMessage({ job: otherJob, attempt: 1, images: moody.images('slow', 3) }),
      bodyOf([trial.good('good')]),
    );
    const delivery = trial.deliver(worker);
    await eventually('the result is written', async () => (await trial.seen()).classified.includes('good'));
    // Nobody has heard from the slow hosts yet, or given them up.
    expect((await trial.seen(otherJob)).failed).toEqual({});
    expect(trial.inQueue().every(({ hops }) => hops === 0)).toBe(true);
    await worker.shutDown();
    await delivery;
  });
});
