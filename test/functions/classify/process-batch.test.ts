import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { SQSEvent } from 'aws-lambda';
import type { Pipeline } from '../../../shared/classifier/classify-images.ts';
import { MAX_MESSAGE_BYTES } from '../../../shared/contract/limits.ts';
import type { ImageRef, QueueMessage } from '../../../shared/contract/message.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import {
  createTestPipeline,
  createTestWorker,
  destinationsOf,
  RETRY_BASE_SECONDS,
  type TestWorker,
} from '../../support/test-worker.ts';

const SAMPLES = join(import.meta.dirname, '../../../samples');

let aws: TestAws;
let images: ImageServer;
let pipeline: Pipeline;
let worker: TestWorker;

beforeAll(async () => {
  [aws, images] = await Promise.all([startTestAws(), startImageServer()]);
  pipeline = await createTestPipeline(aws.target, images.host);
  worker = createTestWorker(pipeline, destinationsOf(aws.target));
});
afterEach(() => aws.clear());
afterAll(async () => {
  await pipeline.close();
  await images.close();
  await aws.stop();
});

function image(id: string, path: string, more: Partial<ImageRef> = {}): ImageRef {
  return { id, url: images.url(path), ...more };
}

test('writes a result line for each classified image', async () => {
  const cat = image('cat', '/photos/chelsea.jpg', { meta: { sku: 'X1' } });
  const started = Date.now();
  const unacknowledged = await worker.process([messageRecord({ job: 'pets', images: [cat] })]);
  expect(unacknowledged).toEqual([]);
  const [line, ...others] = await aws.results('pets');
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    v: 1,
    job: 'pets',
    ...cat,
    model: { name: 'efficientnet-lite0', version: expect.stringMatching(/^1(-int8)?$/) },
    image: { width: 351, height: 300, format: 'jpeg', bytes: expect.any(Number) },
    attempt: 1,
  });
  expect(line?.labels).toHaveLength(5);
  expect(line?.labels[0]).toEqual({ label: 'Egyptian cat', score: expect.closeTo(0.453, 1), classId: 285 });
  expect(line?.image.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Date.parse(line?.at ?? '')).toBeGreaterThanOrEqual(started);
  expect(aws.queued()).toEqual([]);
  expect(aws.deadLetters()).toEqual([]);
});

test('writes a failure line and a dead letter for each image that fails permanently', async () => {
  const failing = {
    missing: '/status/404',
    gone: '/status/410',
    refused: '/status/403',
    'text-file': '/photos/not-an-image.jpg',
    truncated: '/photos/truncated.jpg',
  };
  const failed = Object.entries(failing).map(([id, path]) => image(id, path));
  const elsewhere = { id: 'metadata-service', url: 'http://169.254.169.254/latest/meta-data/' };
  await worker.process([messageRecord({ images: [...failed, elsewhere] })]);

  const lines = await aws.failures('job');
  expect(Object.fromEntries(lines.map(({ id, error }) => [id, error.code]))).toEqual({
    missing: 'not_found',
    gone: 'gone',
    refused: 'forbidden',
    'text-file': 'not_an_image',
    truncated: 'corrupt',
    'metadata-service': 'address_not_allowed',
  });
  const letters = aws.deadLetters().map(({ body }) => parseMessage(body));
  const byId = (one: ImageRef, other: ImageRef) => (one.id < other.id ? -1 : 1);
  expect(letters.flatMap((letter) => ('images' in letter ? letter.images : [])).toSorted(byId)).toEqual(
    [...failed, elsewhere].toSorted(byId),
  );
  expect(aws.queued()).toEqual([]);
});

test('sends only transiently failed images of a message again, with the next attempt and a delay', async () => {
  const [cat, busy, missing] = [
    image('cat', '/photos/chelsea.jpg'),
    image('busy', '/status/503'),
    image('missing', '/status/404'),
  ];
  await worker.process([messageRecord({ attempt: 2, images: [cat, busy, missing] })]);
  const [retry, ...others] = aws.queued();
  expect(others).toEqual([]);
  expect(parseMessage(retry?.body ?? '')).toEqual({ job: 'job', attempt: 3, hops: 1, images: [busy] });
  // Equal jitter: three quarters of the doubled base when the random number is a half.
  expect(retry?.delaySeconds).toBe(RETRY_BASE_SECONDS * 2 * 0.75);
  expect((await aws.results('job')).map(({ id, attempt }) => ({ id, attempt }))).toEqual([{ id: 'cat', attempt: 2 }]);
  expect((await aws.failures('job')).map(({ id }) => id)).toEqual(['missing']);
});

test('waits as long as the server asks for', async () => {
  await worker.process([messageRecord({ images: [image('busy', '/status/429?retry-after=120')] })]);
  expect(aws.queued().map(({ delaySeconds }) => delaySeconds)).toEqual([120]);
});

test('fails an image permanently after its fifth attempt', async () => {
  await worker.process([messageRecord({ attempt: 5, images: [image('busy', '/status/503')] })]);
  expect(aws.queued()).toEqual([]);
  expect(await aws.failures('job')).toMatchObject([{ id: 'busy', attempt: 5, error: { code: 'server_error' } }]);
  expect(aws.deadLetters()).toMatchObject([{ attributes: { job: 'job', code: 'server_error' } }]);
});

test('moves a malformed body to the DLQ at once, unchanged and with the reason', async () => {
  const unacknowledged = await worker.process([sqsRecord('{"cats": 3}')]);
  expect(unacknowledged).toEqual([]);
  expect(aws.deadLetters()).toEqual([
    { body: '{"cats": 3}', attributes: { reason: expect.any(String) }, delaySeconds: 0, receiveCount: 0 },
  ]);
  expect(aws.deadLetters()[0]?.attributes['reason']).not.toBe('');
});

test('moves a malformed body that leaves no room for the reason to the DLQ without it', async () => {
  const body = 'x'.repeat(MAX_MESSAGE_BYTES);
  expect(await worker.process([sqsRecord(body)])).toEqual([]);
  expect(aws.deadLetters().map((letter) => letter.body === body)).toEqual([true]);
});

test('moves a malformed body with characters beyond U+FFFF to the DLQ unchanged', async () => {
  expect(await worker.process([sqsRecord('{"cats": "🐱"}')])).toEqual([]);
  expect(aws.deadLetters()).toMatchObject([{ body: '{"cats": "🐱"}' }]);
});

test('writes no reason with characters that SQS refuses in attributes', async () => {
  await worker.process([sqsRecord(String.raw`"\uffff is no URL"`)]);
  // What SQS takes (SendMessage, "MessageBody"); the embedded one does not check attributes.
  expect(aws.deadLetters()[0]?.attributes['reason']).toMatch(
    /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u,
  );
});

test('accepts the sample event, whose messages have three of the accepted forms', async () => {
  const text = await readFile(join(SAMPLES, 'sqs-event.json'), 'utf8');
  const { Records } = JSON.parse(text.replaceAll('https://photos.example.com/', images.url('/'))) as SQSEvent;
  expect(await worker.process(Records)).toEqual([]);
  const best = (lines: Awaited<ReturnType<TestAws['results']>>) =>
    Object.fromEntries(lines.map(({ id, labels }) => [id.replace(images.url('/'), ''), labels[0]?.label]));
  expect(best(await aws.results('cats-2026-11'))).toEqual({ 'row-17': 'Egyptian cat', 'row-18': 'missile' });
  expect(best(await aws.results('default'))).toEqual({
    'photos/coffee.jpg': 'espresso',
    'photos/rocket.jpg': expect.any(String),
  });
});

test("puts the images of several messages into the same inference batches, and each job's lines into one part", async () => {
  const before = worker.inferenceBatches.length;
  const records = Array.from({ length: 8 }, (_, index) =>
    messageRecord({ images: [image(`cat-${index}`, `/photos/chelsea.jpg?${index}`)] }),
  );
  await worker.process(records);
  const batches = worker.inferenceBatches.slice(before);
  expect(batches.reduce((sum, images) => sum + images, 0)).toBe(8);
  expect(batches.length).toBeLessThan(8);
  expect(await aws.results('job')).toHaveLength(8);
  expect(await aws.partKeys('results', 'job')).toHaveLength(1);
});

test('writes one line for an image that both of two redelivered messages contain', async () => {
  const cat = image('cat', '/photos/chelsea.jpg');
  await worker.process([messageRecord({ images: [cat] }), messageRecord({ images: [cat] })]);
  expect((await aws.results('job')).map(({ id }) => id)).toEqual(['cat']);
});

test('acknowledges a message without images, such as the test event of S3', async () => {
  const testEvent = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'photos' });
  expect(await worker.process([sqsRecord(testEvent)])).toEqual([]);
  expect(aws.deadLetters()).toEqual([]);
});

test('sends everything back, attempt unchanged, when the deadline comes before the work', async () => {
  const [cat, coffee] = [image('cat', '/photos/chelsea.jpg'), image('coffee', '/photos/coffee.jpg')];
  const unacknowledged = await worker.process(
    [messageRecord({ attempt: 3, images: [cat, coffee] })],
    AbortSignal.abort(),
  );
  expect(unacknowledged).toEqual([]);
  const sentOn = aws.queued().map(({ body }) => parseMessage(body) as QueueMessage);
  expect(sentOn.map(({ images, ...envelope }) => ({ ...envelope, images: images.length }))).toEqual([
    { job: 'job', attempt: 3, hops: 1, images: 1 },
    { job: 'job', attempt: 3, hops: 1, images: 1 },
  ]);
  expect(sentOn.flatMap(({ images }) => images)).toEqual(expect.arrayContaining([cat, coffee]));
});

test('keeps finished images at the deadline and sends the rest back', async () => {
  const [cat, slow] = [image('cat', '/photos/chelsea.jpg'), image('slow', '/hang')];
  const before = worker.inferenceBatches.length;
  const deadline = new AbortController();
  const processed = worker.process(
    [messageRecord({ images: [cat] }), messageRecord({ images: [slow] })],
    deadline.signal,
  );
  while (images.requests('/hang') === 0 || worker.inferenceBatches.length === before) await new Promise(setImmediate);
  deadline.abort();
  expect(await processed).toEqual([]);
  expect((await aws.results('job')).map(({ id }) => id)).toEqual(['cat']);
  expect(aws.queued().map(({ body }) => parseMessage(body))).toEqual([
    { job: 'job', attempt: 1, hops: 1, images: [slow] },
  ]);
});
