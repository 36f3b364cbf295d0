import { setTimeout as delay } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { sqsRecord } from '../../testkit/sqs-record.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { FunctionError } from '../../worker/execution-environment.ts';

/** What came of an invocation: the messages that were not acknowledged, or why it had no answer. */
export type Delivery = { records: SQSRecord[]; unacknowledged: SQSRecord[]; functionError?: FunctionError };
type Worker = { invoke(event: SQSEvent): Promise<SQSBatchResponse> };

/**
 * Does one step of Lambda's event source, when the test calls it: gives the
 * worker what is visible in the queue (10 messages at most), and deletes what it acknowledged. What
 * it did not acknowledge is visible again at once, as if the visibility timeout had ended.
 *
 * @param deleter the client for deleting; as on Lambda, a failure is not reported
 */
export async function deliver(aws: TestAws, worker: Worker, deleter: SQSClient = aws.target.sqs): Promise<Delivery> {
  const records = await receive(aws);
  if (records.length === 0) return { records, unacknowledged: [] };
  const delivery = await invoke(worker, records);
  const failed = new Set(delivery.unacknowledged);
  const done = records.filter((record) => !failed.has(record));
  const deleted = await deleteAll(deleter, aws.target.queueUrl, done);
  await redeliver(aws, deleted ? delivery.unacknowledged : records);
  return delivery;
}

/** Delivers until the queue is empty. Delays of messages have to be short. */
export async function deliverAll(aws: TestAws, worker: Worker): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (aws.queued().length > 0) {
    if (Date.now() > giveUpAt) throw new Error(`expected an empty queue, got ${aws.queued().length} messages in it`);
    const { records } = await deliver(aws, worker);
    if (records.length === 0) await delay(50);
  }
}

/** Receives what is visible in the queue, 10 messages at most. */
export async function receive({ target: { sqs, queueUrl } }: TestAws): Promise<SQSRecord[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
  );
  return Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes }) => ({
    ...sqsRecord(Body, Number(Attributes?.ApproximateReceiveCount)),
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
  }));
}

/** Ends the visibility timeout of messages that were received; those that a worker has deleted are gone. */
export async function redeliver({ target: { sqs, queueUrl } }: TestAws, records: readonly SQSRecord[]): Promise<void> {
  if (records.length === 0) return;
  const Entries = records.map(({ receiptHandle }, index) => ({
    Id: String(index),
    ReceiptHandle: receiptHandle,
    VisibilityTimeout: 0,
  }));
  await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
}

async function invoke(worker: Worker, records: SQSRecord[]): Promise<Delivery> {
  try {
    const { batchItemFailures } = await worker.invoke({ Records: records });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    return { records, unacknowledged: records.filter(({ messageId }) => failed.has(messageId)) };
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return { records, unacknowledged: records, functionError: error };
  }
}

async function deleteAll(sqs: SQSClient, queueUrl: string, records: readonly SQSRecord[]): Promise<boolean> {
  if (records.length === 0) return true;
  const Entries = records.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
  return sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })).then(
    () => true,
    () => false,
  );
}
