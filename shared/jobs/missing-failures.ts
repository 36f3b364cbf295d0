import { NoSuchKey } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { ImageFailure } from '../contract/error-codes.ts';
import { type JobRun, runField } from '../contract/job-run.ts';
import type { QueueMessage } from '../contract/message.ts';
import { partKey } from '../contract/object-keys.ts';
import { type FailureLine, failureLine } from '../contract/result-line.ts';
import { writeFailureLines } from './failure-files.ts';
import { IdSet } from './id-set.ts';
import type { JobTarget } from './job-target.ts';
import { latestParts, type Part } from './list-parts.ts';
import { partLines } from './read-outcomes.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

const READS_AT_ONCE = 16;

const MOVED = new ImageFailure(
  'worker_crashed',
  'expected a worker to settle the message, SQS moved it to the dead-letter queue: five deliveries failed or were throttled, or Lambda stopped it as a loop',
).report();

/**
 * Writes the missing failures of one run: those of messages that AWS moved to the DLQ. Images that have a failure keep it; for
 * an image that has a result, the failure does not count. A repetition writes the same files.
 */
export class MissingFailures implements Disposable {
  readonly #bucket: Bucket;
  readonly #of: JobRun;
  readonly #now: Date;
  readonly #signal: AbortSignal | undefined;
  /** Ids of images that have a failure; read lazily, since most DLQs hold no message of the run that SQS moved. */
  #failed: Promise<IdSet | undefined> | undefined;
  /** Images for which a failure was written. */
  images = 0;

  /** @param options `signal` ends the reading, and then nothing is written */
  constructor(bucket: Bucket, of: JobRun, { now, signal }: { now: Date; signal?: AbortSignal }) {
    this.#bucket = bucket;
    this.#of = of;
    this.#now = now;
    this.#signal = signal;
  }

  /** Reads which images have a failure, as `write` does. @returns undefined when the signal ended it */
  async read(): Promise<IdSet | undefined> {
    this.#failed ??= this.#readFailed();
    return this.#failed;
  }

  /** @param message of this run; concurrent calls are allowed */
  async write(message: QueueMessage): Promise<void> {
    const failed = await this.read();
    if (failed === undefined) return;
    const lost = message.images.filter(({ id }) => failed.add(id));
    if (lost.length === 0) return;
    const lines = movedLines(message, lost, this.#now);
    await writeFailureLines(this.#bucket, partKey('failures', this.#of, lines), lines);
    this.images += lines.length;
  }

  async #readFailed(): Promise<IdSet | undefined> {
    const ids = new IdSet();
    const addAll = async ({ key }: Part) => {
      for (const id of await this.#idsIn(key)) ids.add(id);
    };
    await pMap(this.#parts(), addAll, { concurrency: READS_AT_ONCE });
    if (!this.#signal?.aborted) return ids;
    ids[Symbol.dispose]();
    return undefined;
  }

  async *#parts(): AsyncGenerator<Part> {
    for await (const part of latestParts(this.#bucket, 'failures', this.#of)) {
      if (this.#signal?.aborted) return;
      yield part;
    }
  }

  /** Empty when the file was deleted since it was listed: a redrive takes failures away. */
  async #idsIn(key: string): Promise<string[]> {
    try {
      return await Array.fromAsync(partLines<FailureLine>(this.#bucket, key), ({ id }) => id);
    } catch (error) {
      if (error instanceof NoSuchKey) return [];
      throw error;
    }
  }

  [Symbol.dispose](): void {
    // A large set holds a file; a failed reading left no set.
    this.#failed?.then((ids) => ids?.[Symbol.dispose]()).catch(() => {});
  }
}

/** The failures of images of a message that AWS moved. */
export function movedLines(
  { job, run, attempt }: QueueMessage,
  images: QueueMessage['images'],
  at: Date,
): FailureLine[] {
  return images.map((image) => failureLine({ job, ...runField(run), image, attempt, at }, MOVED));
}
