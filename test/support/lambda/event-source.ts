import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import {
  EVENT_SOURCE_BATCH_SIZE,
  EVENT_SOURCE_WINDOW_SECONDS,
  MAX_BATCH_ENTRIES,
  MAX_PAYLOAD_BYTES,
} from '../../../shared/contract/limits.ts';
import { type ExecutionEnvironment, FunctionError } from '../../../worker/execution-environment.ts';
import { mayPass, SqsOutage } from '../../../worker/sqs-outage.ts';
import { eventOf } from '../../../worker/sqs-record.ts';

/** Lambda polls for 20 s; a shorter poll lets Ctrl-C end sooner, and none has to be broken off. */
const POLL_SECONDS = 2;
/** For an answer; the SDK itself waits forever. */
const ANSWER_TIMEOUT_MS = POLL_SECONDS * 1_000 + 28_000;
/** How often deleting finished messages is tried; after that they are redelivered, and processed again. */
const DELETE_ATTEMPTS = 5;

export type EventSourceOptions = {
  sqs: SQSClient;
  queueUrl: string;
  environments: readonly ExecutionEnvironment[];
  /** Called for each batch whose invocation failed as a whole. */
  onFunctionError: (error: FunctionError) => void;
  /** Is given a line when SQS does not answer, and another when it does again; standard error without. */
  onNotice?: (text: string) => void;
  batchSize?: number;
  windowSeconds?: number;
  /** How long a poll takes at most. */
  pollSeconds?: number;
  /** How long SQS may take to answer. */
  answerTimeoutMs?: number;
  /** How long SQS is left alone at most when it does not answer. */
  longestWaitMs?: number;
};

/**
 * Feeds a function from a queue the way Lambda's event source mapping does: long polls, gathers a
 * batch until it is full or its window ends, invokes, and deletes what succeeded. What the function
 * names in `batchItemFailures`, and each message of an invocation that failed, stays hidden until
 * its visibility timeout ends; the queue's redrive policy does the rest. While SQS does not answer, it is asked again,
 * however long that takes.
 */
export class EventSource {
  readonly #options: EventSourceOptions;
  readonly #outage: SqsOutage;
  readonly #stopping = new AbortController();
  #pollers: Promise<void>[] = [];

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#outage = new SqsOutage(options);
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
    this.#stopping.abort();
    await Promise.allSettled(this.#pollers);
  }

  async #poll(environment: ExecutionEnvironment): Promise<void> {
    let held: Message[] = [];
    while (!this.#stopping.signal.aborted || held.length > 0) {
      const received = await this.#gather(held);
      const batch = firstThatFit(received);
      held = received.slice(batch.length);
      if (batch.length > 0) await this.#invoke(environment, batch);
    }
  }

  /** Long polls for a first message, then on until the batch is full or its window ends. */
  async #gather(held: Message[]): Promise<Message[]> {
    const { batchSize = EVENT_SOURCE_BATCH_SIZE, windowSeconds = EVENT_SOURCE_WINDOW_SECONDS } = this.#options;
    const { pollSeconds = POLL_SECONDS } = this.#options;
    const batch = [...held];
    let windowEnd = batch.length > 0 ? Date.now() : Number.POSITIVE_INFINITY;
    while (!this.#stopping.signal.aborted && batch.length < batchSize && Date.now() < windowEnd) {
      const waitSeconds = batch.length === 0 ? pollSeconds : Math.min(pollSeconds, windowSeconds);
      batch.push(...(await this.#receive(Math.min(MAX_BATCH_ENTRIES, batchSize - batch.length), waitSeconds)));
      if (batch.length > 0 && windowEnd === Number.POSITIVE_INFINITY) windowEnd = Date.now() + windowSeconds * 1_000;
    }
    return batch;
  }

  async #receive(most: number, waitSeconds: number): Promise<Message[]> {
    try {
      const messages = await this.#ask(most, waitSeconds);
      this.#outage.succeeded();
      return messages;
    } catch (error) {
      if (!mayPass(error)) throw error;
      await this.#outage.failed(error, this.#stopping.signal);
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
      this.#inTime(),
    );
    return Messages;
  }

  #inTime(): { abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS) };
  }

  async #invoke(environment: ExecutionEnvironment, batch: readonly Message[]): Promise<void> {
    try {
      const { batchItemFailures } = await environment.invoke(eventOf(batch));
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await this.#delete(batch.filter(({ MessageId }) => !failed.has(MessageId ?? '')));
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      this.#options.onFunctionError(error);
    }
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    for (let start = 0; start < messages.length; start += MAX_BATCH_ENTRIES) {
      await this.#deleteBatch(messages.slice(start, start + MAX_BATCH_ENTRIES));
    }
  }

  async #deleteBatch(messages: readonly Message[]): Promise<void> {
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const command = new DeleteMessageBatchCommand({ QueueUrl: this.#options.queueUrl, Entries });
    for (let attempt = 1; attempt <= DELETE_ATTEMPTS; attempt++) {
      try {
        await this.#options.sqs.send(command, this.#inTime());
        return this.#outage.succeeded();
      } catch (error) {
        if (!mayPass(error)) throw error;
        await this.#outage.failed(error, this.#stopping.signal);
      }
    }
  }
}

function firstThatFit(messages: readonly Message[]): Message[] {
  let bytes = 0;
  const tooMany = messages.findIndex(({ Body = '' }) => {
    bytes += Buffer.byteLength(Body);
    return bytes > MAX_PAYLOAD_BYTES;
  });
  return messages.slice(0, tooMany === -1 ? messages.length : Math.max(1, tooMany));
}
