import { join } from 'node:path';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { newWebhookSecret } from '../../../shared/contract/standard-webhook.ts';
import { type NamedRun, requestEndLook } from '../../../shared/jobs/end-look.ts';
import { cancelJob } from '../../../shared/jobs/job-store.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { anyRun, describeRun, idsOf, writeResults } from '../../support/ended-run.ts';

const HANDLER = join(import.meta.dirname, '../../../functions/announce/handler.ts');
const QUEUE = 'labelqueue-job-ends.fifo';

let aws: TestAws;
let misbehaving: ImageServer;
let announcer: ExecutionEnvironment<SQSEvent, SQSBatchResponse>;
let log = '';
beforeAll(async () => {
  [aws, misbehaving] = await Promise.all([startTestAws(), startImageServer()]);
  announcer = new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds: 60,
    environment: { ...aws.environment, WEBHOOK_SECRET: newWebhookSecret(), ALLOWED_HOSTS: misbehaving.host },
    onLog: (text) => {
      log += text;
    },
  });
  await announcer.initialize();
}, 60_000);
beforeEach(() => {
  aws.clear();
  log = '';
});
afterAll(async () => {
  await announcer.shutDown();
  await misbehaving.close();
  await aws.stop();
});

/** A request for a look as Lambda gives it to the function, taken out of the queue. */
async function received(of: NamedRun, attributes: Partial<SQSRecord['attributes']> = {}): Promise<SQSRecord> {
  const { sqs } = aws.target;
  const QueueUrl = aws.environment.JOB_END_QUEUE_URL;
  await requestEndLook({ sqs, jobEndQueueUrl: QueueUrl }, of);
  for (const message of aws.server.inspectQueue(QUEUE)?.messages.delayed ?? []) message.delayUntil = 1;
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  const [{ Body = '', ReceiptHandle = '' } = {}] = Messages;
  const record = sqsRecord(Body);
  return { ...record, receiptHandle: ReceiptHandle, attributes: { ...record.attributes, ...attributes } };
}

/** @returns in how many seconds the message comes again; undefined when it is done with */
async function comesAgainIn(record: SQSRecord): Promise<number | undefined> {
  const { batchItemFailures } = await announcer.invoke({ Records: [record] });
  if (batchItemFailures.length === 0) return undefined;
  expect(batchItemFailures).toEqual([{ itemIdentifier: record.messageId }]);
  const [inFlight] = aws.server.inspectQueue(QUEUE)?.messages.inflight ?? [];
  return Math.round(((inFlight?.visibilityDeadline ?? 0) - Date.now()) / 1_000);
}

test('a check that finds nothing to do is acknowledged', async () => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(2));
  expect(await comesAgainIn(await received(of))).toBeUndefined();
});

test('a malformed request is dropped, and logged', async () => {
  expect(await comesAgainIn(sqsRecord('{"v":2}'))).toBeUndefined();
  await eventually('a line in the log', () => log.includes('expected a request for a look at a run'));
});

test('a check that has to wait is redelivered after the wait', async () => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(2));
  await cancelJob(aws.target, of, 'labelqueue cancel');
  const seconds = await comesAgainIn(await received(of));
  expect(seconds).toBeGreaterThan(5);
  expect(seconds).toBeLessThanOrEqual(16);
});

test.each([
  ['comes again while its producer may be at work', 10, 10],
  ['comes again while its producer may have made no later request', 110, 10],
  ['is dropped when its producer had the time to say so, or to ask for a look', 121, undefined],
])('a check of a run that is complete so far %s', async (_, ageSeconds, again) => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(1), { state: 'enqueuing', images: 2 });
  await writeResults(aws.target, of, idsOf(1));
  const SentTimestamp = String(Date.now() - ageSeconds * 1_000);
  expect(await comesAgainIn(await received(of, { SentTimestamp }))).toBe(again);
});

test.each([
  ['1', 5],
  ['3', 20],
  ['20', 900],
])('a webhook that fails at delivery %s is retried in %d s', async (ApproximateReceiveCount, seconds) => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(1), { notify: misbehaving.url('/status/503?secret=1') });
  await writeResults(aws.target, of, idsOf(1));
  expect(await comesAgainIn(await received(of, { ApproximateReceiveCount }))).toBe(seconds);
  await eventually('a line in the log', () => log.includes('expected status 2xx, got 503'));
  expect(log).not.toContain('secret=1');
});

test('a check that fails because S3 has no such bucket, or does not answer, is redelivered', async () => {
  const lost = new ExecutionEnvironment<SQSEvent, SQSBatchResponse>({
    handlerPath: HANDLER,
    timeoutSeconds: 60,
    environment: { ...aws.environment, RESULTS_BUCKET: 'no-such-bucket' },
    onLog: (text) => {
      log += text;
    },
  });
  const record = await received(anyRun());
  expect((await lost.invoke({ Records: [record] })).batchItemFailures).toHaveLength(1);
  await lost.shutDown();
  await eventually('a line in the log', () => log.includes('a look at a run failed'));
}, 60_000);
