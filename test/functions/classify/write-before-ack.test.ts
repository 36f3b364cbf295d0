import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import type { Pipeline } from '../../../shared/classifier/classify-images.ts';
import { MIN_IMAGES_FOR_OWN_PART } from '../../../shared/contract/limits.ts';
import type { JobTarget } from '../../../shared/jobs/job-target.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { createTestPipeline, createTestWorker, destinationsOf } from '../../support/test-worker.ts';

let aws: TestAws;
let images: ImageServer;
let pipeline: Pipeline;

beforeAll(async () => {
  [aws, images] = await Promise.all([startTestAws(), startImageServer()]);
  pipeline = await createTestPipeline(aws.target, images.host);
});
afterEach(() => aws.clear());
afterAll(async () => {
  await pipeline.close();
  await images.close();
  await aws.stop();
});

/** A message an outcome; each needs something else to be durable. */
type Records = Record<'classified' | 'failed' | 'retried' | 'unreadable', SQSRecord>;

function oneOfEach(): Records {
  const record = (id: string, path: string) => messageRecord({ images: [{ id, url: images.url(path) }] });
  return {
    classified: record('cat', '/photos/chelsea.jpg'),
    failed: record('missing', '/status/404'),
    retried: record('busy', '/status/503'),
    unreadable: sqsRecord('{"cats": 3}'),
  };
}

/** Which of the messages must not be acknowledged, when a part of the target is wrong. */
async function unacknowledged(records: Partial<Records>, wrong: Partial<JobTarget>): Promise<string[]> {
  const worker = createTestWorker(pipeline, destinationsOf(aws.target, wrong));
  const ids = await worker.process(Object.values(records));
  return Object.entries(records)
    .filter(([, { messageId }]) => ids.includes(messageId))
    .map(([name]) => name);
}

function missingQueue(): string {
  return `${aws.environment.AWS_ENDPOINT_URL}/000000000000/no-such-queue`;
}

/** Connections to port 1 are refused. */
const CLOSED = { endpoint: 'http://127.0.0.1:1', maxAttempts: 1 };

test('acknowledges everything when everything could be written', async () => {
  expect(await unacknowledged(oneOfEach(), {})).toEqual([]);
});

test('acknowledges all messages except those whose lines S3 refused', async () => {
  const given = await unacknowledged(oneOfEach(), { resultsBucket: 'no-such-bucket' });
  expect(given).toEqual(['classified', 'failed']);
});

test('acknowledges all messages except those whose dead letters SQS refused', async () => {
  const given = await unacknowledged(oneOfEach(), { deadLetterQueueUrl: missingQueue() });
  expect(given).toEqual(['failed', 'unreadable']);
});

test('acknowledges all messages except those whose retries SQS refused', async () => {
  const given = await unacknowledged(oneOfEach(), { queueUrl: missingQueue() });
  expect(given).toEqual(['retried']);
});

test('acknowledges no message with lines while S3 cannot be reached', async () => {
  const s3 = new S3Client({ ...aws.clientConfig, ...CLOSED });
  expect(await unacknowledged(oneOfEach(), { s3 })).toEqual(['classified', 'failed']);
});

test('acknowledges only messages that need no send while SQS cannot be reached', async () => {
  const sqs = new SQSClient({ ...aws.clientConfig, ...CLOSED });
  expect(
    await unacknowledged(oneOfEach(), {
      sqs,
      queueUrl: `${CLOSED.endpoint}/0/q`,
      deadLetterQueueUrl: `${CLOSED.endpoint}/0/dlq`,
    }),
  ).toEqual(['failed', 'retried', 'unreadable']);
});

test('does not acknowledge a message of which one image of many could not be settled', async () => {
  const mixed = messageRecord({
    images: [
      { id: 'cat', url: images.url('/photos/chelsea.jpg') },
      { id: 'busy', url: images.url('/status/503') },
    ],
  });
  expect(await unacknowledged({ retried: mixed }, { queueUrl: missingQueue() })).toEqual(['retried']);
});

test('finishes the same work again when a message is redelivered after a failed write', async () => {
  const { classified } = oneOfEach();
  await unacknowledged({ classified }, { resultsBucket: 'no-such-bucket' });
  expect(await unacknowledged({ classified }, {})).toEqual([]);
  expect((await aws.results('job')).map(({ id }) => id)).toEqual(['cat']);
});

test('writes a large message that is delivered twice into the same part', async () => {
  const large = messageRecord({
    images: Array.from({ length: MIN_IMAGES_FOR_OWN_PART }, (_, index) => ({
      id: `cat-${index}`,
      url: images.url('/photos/chelsea-grey.jpg'),
    })),
  });
  await unacknowledged({ classified: large }, {});
  await unacknowledged({ classified: large }, {});
  expect(await aws.partKeys('results', 'job')).toHaveLength(1);
  expect(await aws.results('job')).toHaveLength(MIN_IMAGES_FOR_OWN_PART);
});
