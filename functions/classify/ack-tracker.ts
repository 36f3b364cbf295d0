import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { MAX_BATCH_ENTRIES } from '../../shared/contract/limits.ts';
import type { Telemetry } from './telemetry.ts';
import type { Destinations } from './worker-dependencies.ts';

/** Tracks which messages of an invocation may be acknowledged. Anything unresolved at the end is reported as failed. */
export class AckTracker {
  readonly #destinations: Destinations;
  readonly #telemetry: Telemetry;
  readonly #unacknowledged = new Map<string, SQSRecord>();
  /** May be acknowledged, and not deleted from the queue yet. */
  readonly #deletable: SQSRecord[] = [];

  constructor(records: readonly SQSRecord[], destinations: Destinations, telemetry: Telemetry) {
    for (const record of records) this.#unacknowledged.set(record.messageId, record);
    this.#destinations = destinations;
    this.#telemetry = telemetry;
  }

  /** Acknowledges a message once its outcomes are durable. Never rejects. */
  async ackWhen(record: SQSRecord, durable: Promise<void>): Promise<void> {
    try {
      await durable;
      this.#unacknowledged.delete(record.messageId);
      this.#deletable.push(record);
    } catch (error) {
      this.#telemetry.unsettled(record.messageId, error);
    }
  }

  /**
   * Deletes acknowledged messages from the queue before Lambda does, so that they are not redelivered if the next image
   * crashes the worker.
   */
  async deleteAcknowledged(): Promise<void> {
    const { sqs, queueUrl } = this.#destinations;
    while (this.#deletable.length > 0) {
      const Entries = this.#deletable
        .splice(0, MAX_BATCH_ENTRIES)
        .map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      // Lambda deletes them too when the invocation ends: a failure here only costs a redelivery.
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })).catch(() => undefined);
    }
  }

  /** Message ids for `batchItemFailures`. */
  unacknowledged(): string[] {
    return [...this.#unacknowledged.keys()];
  }
}
