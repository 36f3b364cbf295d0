import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ImageRef, QueueMessage } from '../../shared/contract/message.ts';
import { jobKey } from '../../shared/contract/object-keys.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { type EnqueuePlan, enqueue, newJob, resumedFrom } from '../../shared/jobs/enqueue.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import { purgeJob } from '../../shared/jobs/purge-job.ts';
import { eventually } from '../../testkit/eventually.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { interceptSends } from './sqs-faults.ts';

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

function plan(images: number, perMessage = 100): EnqueuePlan {
  return newJob({ job: 'cats', source: 'cats.jsonl', sourceDigest: 'digest', perMessage, images });
}

async function* numbered(count: number, meta?: ImageRef['meta']): AsyncGenerator<ImageRef> {
  for (let index = 0; index < count; index++) {
    yield { id: `row-${index}`, url: `https://host.example/${index}.jpg`, ...(meta !== undefined && { meta }) };
  }
}

function messagesInQueue(): QueueMessage[] {
  return aws.queued().map(({ body }) => parseMessage(body) as QueueMessage);
}

function idsInQueue(): string[] {
  return messagesInQueue().flatMap(({ images }) => images.map(({ id }) => id));
}

async function jobDescription(): Promise<unknown> {
  const { s3, resultsBucket } = aws.target;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key: jobKey('cats') }));
  return JSON.parse((await Body?.transformToString()) ?? '');
}

describe('enqueueing', () => {
  test('puts each image on the queue once, as it was given', async () => {
    expect(await enqueue(aws.target, numbered(1_234, { sku: 'X1' }), plan(1_234))).toMatchObject({
      job: 'cats',
      state: 'enqueued',
      images: 1_234,
      sent: 1_234,
      messages: 13,
    });
    const sent = messagesInQueue();
    expect(sent).toHaveLength(13);
    expect(new Set(sent.map(({ job, attempt }) => `${job} ${attempt}`))).toEqual(new Set(['cats 1']));
    const images = sent.flatMap((message) => message.images);
    expect(images.sort((one, other) => Number(one.id.slice(4)) - Number(other.id.slice(4)))).toEqual(
      await Array.fromAsync(numbered(1_234, { sku: 'X1' })),
    );
  });

  test('describes in job.json what was sent', async () => {
    const { startedAt, ...begun } = plan(250);
    await enqueue(aws.target, numbered(250), { ...begun, startedAt });
    const { updatedAt, ...description } = (await jobDescription()) as { updatedAt: string };
    const idSum = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(description).toEqual({ v: 1, ...begun, state: 'enqueued', sent: 250, messages: 3, startedAt, idSum });
    expect(Date.parse(updatedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
  });

  test('gives each message the run of its job, and another run to the next job', async () => {
    const [{ run }, other] = [plan(250), plan(250)];
    await enqueue(aws.target, numbered(250), { ...plan(250), run });
    expect(await jobDescription()).toMatchObject({ run });
    expect(new Set(messagesInQueue().map((message) => message.run))).toEqual(new Set([run]));
    expect([run, other.run]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), expect.not.stringContaining(run ?? '')]);
  });

  test('continues the interrupted run, or without a run', async () => {
    const begun = await enqueue(aws.target, numbered(250), plan(250));
    expect(resumedFrom(begun, plan(250)).run).toBe(begun.run);
    const { run: _none, ...older } = begun;
    expect(resumedFrom(older, plan(250))).not.toHaveProperty('run');
  });

  test.each([
    ['purged', async () => {}],
    ['purged and enqueued again', () => enqueue(aws.target, numbered(3), plan(3))],
  ])('ends when the job was %s meanwhile, and does not change it', async (how, then) => {
    const images = async function* () {
      yield* numbered(250);
      await purgeJob(aws.target, 'cats');
      await then();
    };
    await expect(enqueue(aws.target, images(), plan(250))).rejects.toThrow(`the job cats was ${how} while`);
    expect((await readJob(aws.target, 'cats'))?.images).toBe(how === 'purged' ? undefined : 3);
  });

  test('continues after the images that were already sent', async () => {
    const before = { ...plan(250), sent: 100, messages: 1 };
    expect(await enqueue(aws.target, numbered(250), before)).toMatchObject({ sent: 250, messages: 3 });
    expect(idsInQueue().sort()).toEqual(Array.from({ length: 150 }, (_, index) => `row-${index + 100}`).sort());
  });

  test('stores the same sum of ids, whether sent at once or in two tries', async () => {
    const { idSum } = (await enqueue(aws.target, numbered(250), plan(250))) as { idSum?: string };
    const before = { ...plan(250), sent: 100, messages: 1 };
    expect(await enqueue(aws.target, numbered(250), before)).toMatchObject({ idSum });
    expect(idSum).toMatch(/^[0-9a-f]{32}$/);
  });

  test('puts the given number of images into each message', async () => {
    await enqueue(aws.target, numbered(10), plan(10, 3));
    expect(
      messagesInQueue()
        .map(({ images }) => images.length)
        .sort(),
    ).toEqual([1, 3, 3, 3]);
  });

  test('puts fewer images into a message when they would not fit', async () => {
    await enqueue(aws.target, numbered(12, { text: 'x'.repeat(200_000) }), plan(12));
    expect(
      messagesInQueue()
        .map(({ images }) => images.length)
        .sort(),
    ).toEqual([2, 5, 5]);
  });

  test('reports its progress, up to the end', async () => {
    const told: number[] = [];
    await enqueue(aws.target, numbered(2_500), plan(2_500), (images) => told.push(images));
    expect(told.at(-1)).toBe(2_500);
    expect(told).toEqual(told.toSorted((one, other) => one - other));
  });

  test('requests checks of the end while it waits for its source, in case it is killed', async () => {
    const looks = () => aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages.delayed ?? [];
    const { promise: rest, resolve: goOn } = Promise.withResolvers<void>();
    const images = (async function* () {
      yield* numbered(1);
      await rest;
    })();
    const job = plan(1);
    const done = enqueue(aws.target, images, job);
    try {
      await eventually('a look is asked for', () => looks().length > 0);
      expect(looks().map(({ body }) => JSON.parse(body))).toEqual([{ v: 1, job: 'cats', run: job.run }]);
      expect(await jobDescription()).toMatchObject({ state: 'enqueuing' });
    } finally {
      goOn();
      await done;
    }
  }, 30_000);

  test('sends nothing when there are no images, and says so', async () => {
    expect(await enqueue(aws.target, numbered(0), plan(0))).toMatchObject({ images: 0, messages: 0 });
    expect(messagesInQueue()).toEqual([]);
    expect(await jobDescription()).toMatchObject({ images: 0, messages: 0 });
  });

  test('reads no further ahead than it sends', async () => {
    let read = 0;
    async function* counted() {
      for await (const image of numbered(20_000)) {
        read++;
        yield image;
      }
    }
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    using _slow = interceptSends(aws.target.sqs, async (input, send) => {
      await released;
      return send(input);
    });
    const enqueueing = enqueue(aws.target, counted(), plan(20_000, 10));
    let before = -1;
    while (read > before) {
      before = read;
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    }
    // Eight requests of ten messages are under way, and one more may be ready.
    expect(read).toBeLessThanOrEqual(10 * 10 * 10);
    release();
    expect(await enqueueing).toMatchObject({ images: 20_000 });
    expect(new Set(idsInQueue()).size).toBe(20_000);
  });
});

describe('when it fails', () => {
  test('in the source, sent messages stay sent, and the job has their confirmed number', async () => {
    async function* failing() {
      yield* numbered(3_000);
      throw new Error('line 3001: expected a URL');
    }
    await expect(enqueue(aws.target, failing(), plan(3_000))).rejects.toThrow('line 3001');
    const { state, sent } = (await jobDescription()) as { state: string; sent: number };
    expect(state).toBe('failed');
    const certain = Array.from({ length: sent }, (_, index) => `row-${index}`);
    expect(idsInQueue()).toEqual(expect.arrayContaining(certain));
  });

  test('in the source after everything else was sent, the job is not marked as enqueued', async () => {
    async function* failing() {
      yield* numbered(300);
      await delay(100);
      throw new Error('cut off');
    }
    await expect(enqueue(aws.target, failing(), plan(300, 1))).rejects.toThrow('cut off');
    expect(await jobDescription()).toMatchObject({ state: 'failed' });
  });

  test('at SQS, it is an error, and the job shows that nothing was sent', async () => {
    const target = { ...aws.target, queueUrl: `${aws.target.queueUrl}-that-is-not-there` };
    await expect(enqueue(target, numbered(10), plan(10))).rejects.toThrow(/does not exist/);
    expect(await jobDescription()).toMatchObject({ state: 'failed', sent: 0 });
  });

  test('at an image that fits in no message, it names the image', async () => {
    const images = numbered(1, { text: 'x'.repeat(1024 * 1024) });
    await expect(enqueue(aws.target, images, plan(1))).rejects.toThrow(/for the id row-0/);
  });
});
