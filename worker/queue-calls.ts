import { setTimeout as delay } from 'node:timers/promises';
import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { MAX_BATCH_ENTRIES } from '../shared/contract/limits.ts';
import { HeldMessage } from './held-message.ts';
import { now } from './moment.ts';
import type { SqsOutage } from './sqs-outage.ts';

/** Tries of an acknowledgement; afterwards the message is redelivered and processed again. */
const DELETE_ATTEMPTS = 5;
const GIVE_BACK_ATTEMPTS = 3;
const GIVE_BACK_PAUSE_MS = 250;

/** The queue, and the limits of its calls. */
export type QueueCallsOptions = {
  sqs: SQSClient;
  queueUrl: string;
  /** The visibility timeout of received messages and renewed leases. */
  leaseMs: number;
  outage: SqsOutage;
  /** How long SQS may take to respond, in addition to the long poll. */
  answerTimeoutMs: number;
  /** Aborted when receiving must stop. */
  stopping: AbortSignal;
};

/** The SQS calls of the loop, each for any number of messages. */
export class QueueCalls {
  readonly #options: QueueCallsOptions;
  readonly #over = new AbortController();

  constructor(options: QueueCallsOptions) {
    this.#options = options;
  }

  /** Ends all calls and all backoff pauses, now and later. */
  end(): void {
    this.#over.abort();
  }

  /** Long polls; pauses while SQS does not respond. @throws permanent errors: a deleted queue, invalid credentials */
  async receive(most: number, waitSeconds: number): Promise<HeldMessage[]> {
    const { sqs, queueUrl, leaseMs, outage, answerTimeoutMs, stopping } = this.#options;
    const since = now();
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(MAX_BATCH_ENTRIES, most),
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: this.#leaseSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    try {
      const timeoutMs = waitSeconds * 1_000 + answerTimeoutMs;
      const { Messages = [] } = await this.#within(timeoutMs, (inTime) => sqs.send(command, inTime));
      outage.succeeded();
      // A message may arrive any time during a long poll: this is the earliest moment of its lease.
      return Messages.map((message) => new HeldMessage(message, since, leaseMs));
    } catch (error) {
      if (!outage.mayPass(error)) throw error;
      await outage.failed(error, stopping);
      return [];
    }
  }

  /** Extends leases. Messages that SQS reports as no longer in flight are lost; transient failures are retried later. */
  async renew(messages: readonly HeldMessage[]): Promise<void> {
    await Promise.all(batches(messages).map((batch) => this.#renewBatch(batch)));
  }

  async #renewBatch(batch: readonly HeldMessage[]): Promise<void> {
    const since = now();
    const failed = await this.#changeVisibility(batch, this.#leaseSeconds).catch(() => undefined);
    if (failed === undefined) return;
    batch.forEach((message, index) => {
      const failure = failed.get(index);
      if (failure === undefined) message.renewed(since);
      else if (failure.SenderFault) message.lost();
    });
  }

  /** Makes messages visible immediately. On failure they become visible when their lease ends. */
  async giveBack(messages: readonly HeldMessage[]): Promise<number> {
    const given = await Promise.all(batches(messages).map((batch) => this.#giveBackBatch(batch)));
    return given.reduce((sum, count) => sum + count, 0);
  }

  async #giveBackBatch(batch: readonly HeldMessage[]): Promise<number> {
    let remaining = batch.filter(({ isOwned }) => isOwned);
    let given = 0;
    for (let attempt = 1; attempt <= GIVE_BACK_ATTEMPTS && this.#mayCallFor(remaining); attempt++) {
      const failed = await this.#changeVisibility(remaining, 0).catch(() => undefined);
      if (failed !== undefined) {
        given += remaining.length - failed.size;
        remaining = remaining.filter((_, index) => failed.get(index)?.SenderFault === false);
      }
      if (remaining.length > 0) await this.#pause(GIVE_BACK_PAUSE_MS);
      remaining = remaining.filter(({ isOwned }) => isOwned);
    }
    return given;
  }

  /**
   * Acknowledges messages whose leases are still valid.
   *
   * @returns how many were deleted from the queue
   */
  async acknowledge(messages: readonly HeldMessage[]): Promise<number> {
    const deleted = await Promise.all(batches(messages).map((batch) => this.#deleteBatch(batch)));
    return deleted.reduce((sum, count) => sum + count, 0);
  }

  async #deleteBatch(batch: readonly HeldMessage[]): Promise<number> {
    const { outage } = this.#options;
    let remaining = [...batch];
    let deleted = 0;
    for (let attempt = 1; attempt <= DELETE_ATTEMPTS && this.#mayCallFor(remaining); attempt++) {
      try {
        const failed = await this.#delete(remaining);
        outage.succeeded();
        deleted += remaining.length - failed.size;
        // A message whose receipt handle SQS rejects is lost; the others are retried.
        remaining = remaining.filter((message, index) => failed.get(index)?.SenderFault === false && message.isOwned);
      } catch (error) {
        if (!outage.mayPass(error)) throw error;
        await outage.failed(error, this.#over.signal);
        remaining = remaining.filter(({ isOwned }) => isOwned);
      }
    }
    return deleted;
  }

  async #delete(messages: readonly HeldMessage[]): Promise<Map<number, BatchResultErrorEntry>> {
    const { sqs, queueUrl, answerTimeoutMs } = this.#options;
    const Entries = messages.map(({ message: { ReceiptHandle } }, index) => ({ Id: String(index), ReceiptHandle }));
    const command = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries });
    return failures(await this.#within(answerTimeoutMs, (inTime) => sqs.send(command, inTime)));
  }

  async #changeVisibility(
    messages: readonly HeldMessage[],
    VisibilityTimeout: number,
  ): Promise<Map<number, BatchResultErrorEntry>> {
    const { sqs, queueUrl, leaseMs, answerTimeoutMs } = this.#options;
    const Entries = messages.map(({ message: { ReceiptHandle } }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout,
    }));
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
    // With short leases, calls must time out sooner: there must be time for another try.
    const timeoutMs = Math.min(answerTimeoutMs, leaseMs / 4);
    return failures(await this.#within(timeoutMs, (inTime) => sqs.send(command, inTime)));
  }

  #mayCallFor(messages: readonly HeldMessage[]): boolean {
    return messages.length > 0 && !this.#over.signal.aborted;
  }

  async #pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }

  /** Ends the call after its timeout, or when all calls are ended. */
  async #within<Answer>(
    milliseconds: number,
    call: (inTime: { abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    const time = new AbortController();
    const end = () => time.abort();
    if (this.#over.signal.aborted) end();
    // `AbortSignal.any` would leak memory per call until the other signal is collected.
    this.#over.signal.addEventListener('abort', end, { once: true });
    const timer = setTimeout(end, milliseconds);
    try {
      return await call({ abortSignal: time.signal });
    } finally {
      clearTimeout(timer);
      this.#over.signal.removeEventListener('abort', end);
    }
  }

  get #leaseSeconds(): number {
    return Math.round(this.#options.leaseMs / 1_000);
  }
}

/** By index in the batch. */
function failures({
  Failed = [],
}: {
  Failed?: BatchResultErrorEntry[] | undefined;
}): Map<number, BatchResultErrorEntry> {
  return new Map(Failed.map((entry) => [Number(entry.Id), { ...entry, SenderFault: entry.SenderFault ?? false }]));
}

function batches(messages: readonly HeldMessage[]): HeldMessage[][] {
  const count = Math.ceil(messages.length / MAX_BATCH_ENTRIES);
  return Array.from({ length: count }, (_, index) =>
    messages.slice(index * MAX_BATCH_ENTRIES, (index + 1) * MAX_BATCH_ENTRIES),
  );
}
