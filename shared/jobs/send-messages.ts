import { setTimeout as delay } from 'node:timers/promises';
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { inBatches } from '../contract/batches.ts';
import { MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES } from '../contract/limits.ts';
import { UserError } from '../contract/user-error.ts';

/** A message to send; `delaySeconds` is 0 to 900. */
export type OutgoingMessage = {
  body: string;
  delaySeconds?: number;
  /**
   * String attributes, visible without opening the body. SQS counts them in the size of the message, so they are dropped
   * from a message that is full without them.
   */
  attributes?: Record<string, string>;
};

/** SQS rejected messages even after retries. The others of the batch were sent. */
export class SendError extends UserError {
  override readonly name = 'SendError';
}

const SEND_ATTEMPTS = 4;

/**
 * Sends messages with as few requests as SQS allows. Entries that SQS rejects for transient reasons are sent again.
 *
 * @param job the job of the messages: their tenant in SQS's fair queues (docs/fair-queues.md). A job name is a valid
 *   `MessageGroupId`: at most 128 letters, digits and punctuation
 * @throws {SendError} when entries remain unsent; the others were sent
 */
export async function sendMessages(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly OutgoingMessage[],
  job?: string,
): Promise<void> {
  const queue = { sqs, queueUrl, job };
  const batches = await Array.fromAsync(sendBatches(messages.map(dropOversizedAttributes)));
  await Promise.all(batches.map((batch) => sendBatch(queue, batch)));
}

/** Packs messages into batches that one request may hold: SQS counts the bodies and attributes of all entries. */
export function sendBatches<Message extends OutgoingMessage>(
  messages: Iterable<Message> | AsyncIterable<Message>,
): AsyncGenerator<Message[]> {
  return inBatches(messages, { maxItems: MAX_BATCH_ENTRIES, maxBytes: MAX_MESSAGE_BYTES }, bytesOf);
}

/** A queue, and the job whose messages are sent to it. */
export type QueueOfJob = { sqs: SQSClient; queueUrl: string; job: string | undefined };

function dropOversizedAttributes(message: OutgoingMessage): OutgoingMessage {
  if (bytesOf(message) <= MAX_MESSAGE_BYTES) return message;
  const { attributes: _dropped, ...bare } = message;
  return bare;
}

/**
 * Sends one batch of {@link sendBatches}; as {@link sendMessages}.
 *
 * @throws {SendError} when entries remain unsent; the others were sent
 */
export async function sendBatch({ sqs, queueUrl, job }: QueueOfJob, batch: readonly OutgoingMessage[]): Promise<void> {
  let unsent = batch;
  const group = job === undefined ? {} : { MessageGroupId: job };
  for (let attempt = 1; ; attempt++) {
    const command = new SendMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: unsent.map((message, index) => ({ ...toEntry(message, index), ...group })),
    });
    const { Failed = [] } = await sqs.send(command);
    if (Failed.length === 0) return;
    const failed = Failed.find(({ SenderFault }) => SenderFault) ?? Failed[0];
    if (failed?.SenderFault || attempt === SEND_ATTEMPTS) {
      throw new SendError(
        `SQS rejected ${Failed.length} of ${unsent.length} messages: ${failed?.Code} ${failed?.Message ?? ''}`,
      );
    }
    unsent = Failed.map(({ Id }) => unsent[Number(Id)] as OutgoingMessage);
    await delay(100 * 2 ** attempt);
  }
}

function toEntry({ body, delaySeconds = 0, attributes }: OutgoingMessage, index: number): SendMessageBatchRequestEntry {
  return {
    Id: String(index),
    MessageBody: body,
    DelaySeconds: delaySeconds,
    ...(attributes !== undefined && {
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
      ),
    }),
  };
}

function bytesOf({ body, attributes = {} }: OutgoingMessage): number {
  const attributeBytes = Object.entries(attributes)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), Object.keys(attributes).length * 'String'.length);
  return Buffer.byteLength(body) + attributeBytes;
}
