import { NoSuchKey } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { ImageError } from '../contract/error-codes.ts';
import { type JobRun, runField } from '../contract/job-run.ts';
import { messageSchema, parseMessage, type QueueMessage, UnreadableMessage } from '../contract/message.ts';
import { partKey } from '../contract/object-keys.ts';
import { type FailureLine, failureLine } from '../contract/result-line.ts';
import { type DeadLetter, type DeadLetterScanOptions, scanDeadLetters } from './dead-letters.ts';
import { requestEndLookIfAnnounced } from './end-look.ts';
import { writeFailureLines } from './failure-files.ts';
import { IdSet } from './id-set.ts';
import type { JobTarget } from './job-target.ts';
import { latestParts, type Part } from './list-parts.ts';
import { partLines } from './read-outcomes.ts';

const READS_AT_ONCE = 16;

/** What was found in the DLQ of one run. */
export type SettledMoved = {
  /** Images of which a failure was written. */
  images: number;
  /** Letters that were in the DLQ and could not be looked at, approximately. */
  notLookedAt: number;
};

export type SettleMovedOptions = { now: Date; deadLetterScan?: DeadLetterScanOptions };

/**
 * Writes the failures that are missing of messages that AWS itself moved to the DLQ: after their last delivery, however
 * it ended, or since Lambda took them for a loop. No worker was asked, so none wrote a line. The letters stay where they
 * are, and doing it again writes the same files: `redrive` sends the images again like all others that failed.
 *
 * Images that have a failure keep it. Of one that has a result the failure does not count.
 */
export async function settleMoved(
  target: JobTarget,
  of: JobRun,
  { now, deadLetterScan }: SettleMovedOptions,
): Promise<SettledMoved> {
  using settling = new Settling(target, of, now);
  const look = async (letter: DeadLetter) => {
    await settling.take(letter);
    return false;
  };
  const { notLookedAt } = await scanDeadLetters(target, look, deadLetterScan);
  // These lines may be the last of the run: no worker asks for them.
  if (settling.images > 0) await requestEndLookIfAnnounced(target, of);
  return { images: settling.images, notLookedAt };
}

class Settling implements Disposable {
  readonly #target: JobTarget;
  readonly #of: JobRun;
  readonly #now: Date;
  /** Ids of images that have a failure: most DLQs hold nothing of the run that SQS moved, so they are read late. */
  #failed: Promise<IdSet> | undefined;
  images = 0;

  constructor(target: JobTarget, of: JobRun, now: Date) {
    this.#target = target;
    this.#of = of;
    this.#now = now;
  }

  async take({ body }: DeadLetter): Promise<void> {
    const message = movedMessage(body);
    if (message === undefined || message.job !== this.#of.job || message.run !== this.#of.run) return;
    this.#failed ??= this.#readFailed();
    const failed = await this.#failed;
    const lost = message.images.filter(({ id }) => failed.add(id));
    if (lost.length === 0) return;
    const lines = lost.map((image) => this.#lineOf(message, image));
    await writeFailureLines(this.#target, partKey('failures', this.#of, lines), lines);
    this.images += lines.length;
  }

  #lineOf({ attempt }: QueueMessage, image: QueueMessage['images'][number]): FailureLine {
    return failureLine({ job: this.#of.job, ...runField(this.#of.run), image, attempt, at: this.#now }, MOVED);
  }

  async #readFailed(): Promise<IdSet> {
    const ids = new IdSet();
    const addAll = async ({ key }: Part) => {
      for (const id of await this.#idsIn(key)) ids.add(id);
    };
    await pMap(latestParts(this.#target, 'failures', this.#of), addAll, { concurrency: READS_AT_ONCE });
    return ids;
  }

  /** None when the file is gone since it was listed: a redrive takes failures away. */
  async #idsIn(key: string): Promise<string[]> {
    try {
      return await Array.fromAsync(partLines<FailureLine>(this.#target, key), ({ id }) => id);
    } catch (error) {
      if (error instanceof NoSuchKey) return [];
      throw error;
    }
  }

  [Symbol.dispose](): void {
    // The set holds a file when it is large; of a reading that failed there is none.
    this.#failed?.then((ids) => ids[Symbol.dispose]()).catch(() => {});
  }
}

const MOVED = new ImageError(
  'worker_crashed',
  'expected a worker to settle the message, SQS moved it to the dead-letter queue: five deliveries failed or were throttled, or Lambda took it for a loop',
).report();

/** Undefined for a letter that a worker sent, which names its error, and for what is not a message. */
function movedMessage(body: string): QueueMessage | undefined {
  const message = parseMessage(body);
  if (message instanceof UnreadableMessage) return undefined;
  return sentByWorker(body) ? undefined : message;
}

function sentByWorker(body: string): boolean {
  try {
    const parsed = messageSchema.safeParse(JSON.parse(body));
    return parsed.success && parsed.data.images.every(({ error }) => error !== undefined);
  } catch {
    return false;
  }
}
