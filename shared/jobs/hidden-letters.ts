import { ChangeMessageVisibilityBatchCommand, type Message } from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import { MAX_BATCH_ENTRIES } from '../contract/limits.ts';
import type { JobTarget } from './job-target.ts';

const REQUESTS_AT_ONCE = 16;

/**
 * Messages of the DLQ that a scan has received and keeps hidden, so that it does not receive them again. Holds only their
 * receipt handles. When there are too many, the oldest ones are made visible again.
 */
export class HiddenLetters {
  readonly #target: JobTarget;
  readonly #max: number;
  /** Oldest first; at most ten per part. */
  #receipts: string[][] = [];
  #size = 0;

  /** @param max messages that may be hidden at the same time */
  constructor(target: JobTarget, max: number) {
    this.#target = target;
    this.#max = max;
  }

  async add(letters: readonly Message[]): Promise<void> {
    if (letters.length === 0) return;
    this.#receipts.push(letters.map(({ ReceiptHandle = '' }) => ReceiptHandle));
    this.#size += letters.length;
    while (this.#size > this.#max) await this.#putBackOldest();
  }

  async putBackAll(): Promise<void> {
    const batches = this.#receipts;
    this.#receipts = [];
    this.#size = 0;
    await pMap(fullBatches(batches), (batch) => this.#putBack(batch), { concurrency: REQUESTS_AT_ONCE });
  }

  async #putBackOldest(): Promise<void> {
    const oldest = this.#receipts.shift() ?? [];
    this.#size -= oldest.length;
    await this.#putBack(oldest);
  }

  /** A receipt handle may have expired: its message is visible already. */
  async #putBack(receipts: readonly string[]): Promise<void> {
    const { sqs, deadLetterQueueUrl } = this.#target;
    const Entries = receipts.map((ReceiptHandle, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: deadLetterQueueUrl, Entries }));
  }
}

function* fullBatches(parts: readonly string[][]): Generator<string[]> {
  let batch: string[] = [];
  for (const receipt of parts.flat()) {
    batch.push(receipt);
    if (batch.length < MAX_BATCH_ENTRIES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
