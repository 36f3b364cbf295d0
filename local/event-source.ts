import { setTimeout as delay } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import {
  EVENT_SOURCE_BATCH_SIZE,
  EVENT_SOURCE_WINDOW_SECONDS,
  MAX_BATCH_ENTRIES,
  MAX_PAYLOAD_BYTES,
} from '../shared/contract/limits.ts';
import { isThrottled } from '../shared/jobs/throttling.ts';
import { type ExecutionEnvironment, FunctionError } from './execution-environment.ts';

/** How long the queue is left alone after it did not answer, or answered that it could not. */
const RETRY_MS = 1_000;
/** A message that cannot be deleted comes back when its visibility timeout ends; its outcome is written by then. */
const DELETE_ATTEMPTS = 10;
/** Lambda polls for 20 s; a shorter poll lets Ctrl-C end sooner, and none has to be broken off. */
const POLL_SECONDS = 2;

export type EventSourceOptions = {
  sqs: SQSClient;
  queueUrl: string;
  environments: readonly ExecutionEnvironment[];
  /** Told of each batch whose invocation failed as a whole. */
  onFunctionError: (error: FunctionError) => void;
  batchSize?: number;
  windowSeconds?: number;
};

/**
 * Feeds a function from a queue the way Lambda's event source mapping does: long polls, gathers a
 * batch until it is full or its window ends, invokes, and deletes what succeeded. What the function
 * names in `batchItemFailures`, and each message of an invocation that failed, stays hidden until
 * its visibility timeout ends; the queue's redrive policy does the rest.
 */
export class EventSource {
  readonly #options: EventSourceOptions;
  #stopping = false;
  #pollers: Promise<void>[] = [];

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#pollers = this.#options.environments.map((environment) => this.#poll(environment));
  }

  /** Rejects when a poller could not go on, e.g. because the queue is gone. */
  async ended(): Promise<void> {
    await Promise.all(this.#pollers);
  }

  /** Takes no more messages and resolves once those in hand are done, or cannot be. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.allSettled(this.#pollers);
  }

  async #poll(environment: ExecutionEnvironment): Promise<void> {
    let held: Message[] = [];
    while (!this.#stopping || held.length > 0) {
      const received = await this.#gather(held);
      const batch = firstThatFit(received);
      held = received.slice(batch.length);
      if (batch.length > 0) await this.#invoke(environment, batch);
    }
  }

  /** Long polls for a first message, then on until the batch is full or its window ends. */
  async #gather(held: Message[]): Promise<Message[]> {
    const { batchSize = EVENT_SOURCE_BATCH_SIZE, windowSeconds = EVENT_SOURCE_WINDOW_SECONDS } = this.#options;
    const batch = [...held];
    let windowEnd = batch.length > 0 ? Date.now() : Number.POSITIVE_INFINITY;
    while (!this.#stopping && batch.length < batchSize && Date.now() < windowEnd) {
      const waitSeconds = batch.length === 0 ? POLL_SECONDS : Math.min(POLL_SECONDS, windowSeconds);
      batch.push(...(await this.#receive(Math.min(MAX_BATCH_ENTRIES, batchSize - batch.length), waitSeconds)));
      if (batch.length > 0 && windowEnd === Number.POSITIVE_INFINITY) windowEnd = Date.now() + windowSeconds * 1_000;
    }
    return batch;
  }

  async #receive(most: number, waitSeconds: number): Promise<Message[]> {
    try {
      return await this.#ask(most, waitSeconds);
    } catch (error) {
      // Lambda does not give up either: a full disk has room again some day.
      if (!mayPass(error)) throw error;
      await delay(RETRY_MS);
      return [];
    }
  }

  async #ask(most: number, waitSeconds: number): Promise<Message[]> {
    const { Messages = [] } = await this.#options.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#options.queueUrl,
        MaxNumberOfMessages: most,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return Messages;
  }

  async #invoke(environment: ExecutionEnvironment, batch: readonly Message[]): Promise<void> {
    try {
      const { batchItemFailures } = await environment.invoke(toEvent(batch));
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await this.#delete(batch.filter(({ MessageId }) => !failed.has(MessageId ?? '')));
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      this.#options.onFunctionError(error);
    }
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    for (let start = 0; start < messages.length; start += MAX_BATCH_ENTRIES) {
      const Entries = messages
        .slice(start, start + MAX_BATCH_ENTRIES)
        .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await this.#deleteBatch(new DeleteMessageBatchCommand({ QueueUrl: this.#options.queueUrl, Entries }));
    }
  }

  async #deleteBatch(command: DeleteMessageBatchCommand): Promise<void> {
    for (let attempt = 1; attempt <= DELETE_ATTEMPTS; attempt++) {
      try {
        await this.#options.sqs.send(command);
        return;
      } catch (error) {
        if (!mayPass(error)) throw error;
        await delay(RETRY_MS);
      }
    }
  }
}

/** No answer of SQS, or one that it could not, rather than that it will not. */
function mayPass(error: unknown): boolean {
  if (isThrottled(error)) return true;
  // The SDK gives this to what it has tried to send.
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const { httpStatusCode: status } = $metadata ?? { httpStatusCode: 0 };
  return status === undefined || status >= 500;
}

function firstThatFit(messages: readonly Message[]): Message[] {
  let bytes = 0;
  const tooMany = messages.findIndex(({ Body = '' }) => {
    bytes += Buffer.byteLength(Body);
    return bytes > MAX_PAYLOAD_BYTES;
  });
  return messages.slice(0, tooMany === -1 ? messages.length : Math.max(1, tooMany));
}

function toEvent(messages: readonly Message[]): SQSEvent {
  return { Records: messages.map(toRecord) };
}

function toRecord({ MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', ...message }: Message): SQSRecord {
  const attributes = message.Attributes ?? {};
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {
      ApproximateReceiveCount: attributes['ApproximateReceiveCount'] ?? '1',
      SentTimestamp: attributes['SentTimestamp'] ?? '0',
      SenderId: attributes['SenderId'] ?? '',
      ApproximateFirstReceiveTimestamp: attributes['ApproximateFirstReceiveTimestamp'] ?? '0',
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:labelqueue',
    awsRegion: 'us-east-1',
  };
}
