import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { MAX_BATCH_ENTRIES } from '../../shared/contract/limits.ts';
import type { Destinations } from './persist-outcomes.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Which messages of an invocation are done with, and which are not. What is neither when the
 * invocation ends counts as not done: SQS delivers it again.
 */
export class AckTracker {
  readonly #destinations: Destinations;
  readonly #telemetry: Telemetry;
  readonly #open = new Map<string, SQSRecord>();
  readonly #done: SQSRecord[] = [];

  constructor(records: readonly SQSRecord[], destinations: Destinations, telemetry: Telemetry) {
    for (const record of records) this.#open.set(record.messageId, record);
    this.#destinations = destinations;
    this.#telemetry = telemetry;
  }

  /** Counts the message as done once what has to be durable before is durable. Never rejects. */
  async ackWhen(record: SQSRecord, durable: Promise<void>): Promise<void> {
    try {
      await durable;
      this.#open.delete(record.messageId);
      this.#done.push(record);
    } catch (error) {
      this.#telemetry.unsettled(record.messageId, error);
    }
  }

  /**
   * Deletes what is done from the queue ahead of Lambda, so that it does not come back when the
   * worker dies of what it takes up next.
   */
  async deleteAcknowledged(): Promise<void> {
    const { sqs, queueUrl } = this.#destinations;
    while (this.#done.length > 0) {
      const Entries = this.#done
        .splice(0, MAX_BATCH_ENTRIES)
        .map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      // Lambda deletes them too when the invocation ends: a failure here only costs a redelivery.
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })).catch(() => undefined);
    }
  }

  /** For `batchItemFailures`. */
  unacknowledged(): string[] {
    return [...this.#open.keys()];
  }
}
