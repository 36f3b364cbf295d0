import { setTimeout as delay } from 'node:timers/promises';
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES } from '../contract/limits.ts';
import { UserError } from '../contract/user-error.ts';

/** A message to send; `delaySeconds` is 0 to 900. */
export type OutgoingMessage = {
  body: string;
  delaySeconds?: number;
  /**
   * String attributes, which people and consoles see without opening the body. SQS counts them with
   * it, so they are left out of a message that its body alone fills.
   */
  attributes?: Record<string, string>;
};

/** Messages that SQS did not take, after retries. Those that are not named here were sent. */
export class SendError extends UserError {
  override readonly name = 'SendError';
}

const SEND_ATTEMPTS = 4;

/**
 * Sends messages with as few requests as SQS allows. Entries that SQS refuses for reasons of its
 * own are sent again.
 *
 * @param job whose messages these are: the tenant that SQS's fair queues know them by (docs/fair-queues.md). A job's
 *   name is a valid `MessageGroupId`: at most 128 letters, digits and punctuation
 * @throws {SendError} when entries are left over; the others were sent
 */
export async function sendMessages(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly OutgoingMessage[],
  job?: string,
): Promise<void> {
  const queue = { sqs, queueUrl, job };
  await Promise.all(batchesOf(messages.map(dropOversizedAttributes)).map((batch) => sendBatch(queue, batch)));
}

type QueueOfJob = { sqs: SQSClient; queueUrl: string; job: string | undefined };

function dropOversizedAttributes(message: OutgoingMessage): OutgoingMessage {
  if (bytesOf(message) <= MAX_MESSAGE_BYTES) return message;
  const { attributes: _tooMuch, ...bare } = message;
  return bare;
}

async function sendBatch({ sqs, queueUrl, job }: QueueOfJob, batch: readonly OutgoingMessage[]): Promise<void> {
  let left = batch;
  const group = job === undefined ? {} : { MessageGroupId: job };
  for (let attempt = 1; ; attempt++) {
    const command = new SendMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: left.map((message, index) => ({ ...toEntry(message, index), ...group })),
    });
    const { Failed = [] } = await sqs.send(command);
    if (Failed.length === 0) return;
    const blame = Failed.find(({ SenderFault }) => SenderFault) ?? Failed[0];
    if (blame?.SenderFault || attempt === SEND_ATTEMPTS) {
      throw new SendError(
        `SQS did not take ${Failed.length} of ${left.length} messages: ${blame?.Code} ${blame?.Message ?? ''}`,
      );
    }
    left = Failed.map(({ Id }) => left[Number(Id)] as OutgoingMessage);
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

/** At most 10 messages and 1 MiB a batch: SQS counts the bodies and attributes of all its entries. */
function batchesOf(messages: readonly OutgoingMessage[]): OutgoingMessage[][] {
  const batches: OutgoingMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = bytesOf(message);
    const last = batches.at(-1);
    if (last === undefined || last.length === MAX_BATCH_ENTRIES || bytes + size > MAX_MESSAGE_BYTES) {
      batches.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return batches;
}

function bytesOf({ body, attributes = {} }: OutgoingMessage): number {
  const attributeBytes = Object.entries(attributes)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), Object.keys(attributes).length * 'String'.length);
  return Buffer.byteLength(body) + attributeBytes;
}
