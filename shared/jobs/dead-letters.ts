import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  OverLimit,
  type QueueAttributeName,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { MAX_BATCH_ENTRIES, MAX_VISIBILITY_TIMEOUT_SECONDS } from '../contract/limits.ts';
import { HiddenLetters } from './hidden-letters.ts';
import { IdSet } from './id-set.ts';
import type { JobTarget } from './job-target.ts';

/** A message of the DLQ. */
export type DeadLetter = {
  /** SQS's own, the same each time that it is received. */
  id: string;
  body: string;
  /** Why the worker moved it there, if it said so. */
  reason: string | undefined;
  sentAt: Date;
};

/** What a scan has done, in letters. */
export type DeadLetterScan = {
  deleted: number;
  /** Each counted once, however often it was received. */
  lookedAt: number;
  /** In the DLQ at the start and not looked at: about as many, since SQS counts approximately. */
  notLookedAt: number;
};

/** The limits of a scan. */
export type DeadLetterScanOptions = {
  /**
   * How long a letter is hidden from others while the rest is looked at, in seconds, 1 to 43,200; longer when the scan
   * takes longer. An interrupted scan ends so.
   */
  hiddenSeconds?: number;
  /** Letters that are hidden at once, at most. */
  mostHidden?: number;
  /** Requests for ten letters at once, at most: each letter may have 1 MiB. */
  receivers?: number;
  /** Ends the scan where it is; what it has in hand comes to its end, and letters are put back. */
  signal?: AbortSignal;
};

const HIDDEN_SECONDS = 120;
/** SQS has 120,000 messages of a queue in flight at most; the rest is for others who read the DLQ. */
const MOST_HIDDEN = 100_000;
/** Each brings ten letters per round trip: 1,800 letters per second at 90 ms. */
const MAX_RECEIVERS = 16;
/** SQS may answer from a part of its servers, so that one empty answer proves nothing. */
const EMPTY_ANSWERS_UNTIL_END = 2;
/**
 * Letters in a row that were looked at before: less than 0.1 % of those that are visible can be others, where SQS gives
 * them in any order; none where it gives the longest visible first.
 */
const KNOWN_LETTERS_UNTIL_END = 3_000;
/** Of a few letters, each has come back so often that there can be no others. */
const TIMES_KNOWN_UNTIL_END = 10;
const POLL_SECONDS = 1;
/** A letter that comes back is then hidden for three times as long as before, so that none comes back often. */
const HIDDEN_PER_SECOND_SCANNED = 2;

/**
 * Looks at each message of the DLQ once, in as much memory as two hashes per letter and the receipts of those that are
 * hidden. Those that `handle` says `true` of are deleted; the others are put back untouched at the end, or by
 * themselves after their visibility timeout when this is interrupted. It ends however many letters there are, and
 * however many come in the meantime.
 *
 * @param handle does what has to be done before the letter may be deleted; of many letters at once, of each once
 */
export async function scanDeadLetters(
  target: JobTarget,
  handle: (letter: DeadLetter) => Promise<boolean>,
  options: DeadLetterScanOptions = {},
): Promise<DeadLetterScan> {
  const atStart = await countLetters(target);
  const scan = new Scan(target, handle, options);
  await scan.run();
  const { deleted, lookedAt } = scan;
  return { deleted, lookedAt, notLookedAt: Math.max(0, atStart - lookedAt) };
}

class Scan {
  readonly #target: JobTarget;
  readonly #handle: (letter: DeadLetter) => Promise<boolean>;
  readonly #hiddenSeconds: number;
  readonly #hidden: HiddenLetters;
  readonly #signal: AbortSignal | undefined;
  readonly #startedAt = Date.now();
  /** By their message ids. */
  readonly #known = new IdSet();
  readonly #deletable = new IdSet();
  readonly #inHand = new Map<string, Promise<boolean>>();
  /** Message ids of those that SQS did not delete, though it was asked to. */
  readonly #undeleted = new Set<string>();
  readonly #mostReceivers: number;
  readonly #receivers: Promise<void>[] = [];
  #knownInARow = 0;
  #isOver = false;

  constructor(
    target: JobTarget,
    handle: (letter: DeadLetter) => Promise<boolean>,
    {
      hiddenSeconds = HIDDEN_SECONDS,
      mostHidden = MOST_HIDDEN,
      receivers = MAX_RECEIVERS,
      signal,
    }: DeadLetterScanOptions,
  ) {
    this.#target = target;
    this.#handle = handle;
    this.#hiddenSeconds = hiddenSeconds;
    this.#mostReceivers = receivers;
    this.#signal = signal;
    this.#hidden = new HiddenLetters(target, mostHidden);
  }

  get lookedAt(): number {
    return this.#known.size;
  }

  get deleted(): number {
    return this.#deletable.size - this.#undeleted.size;
  }

  /** When one receiver fails, the others finish what they have in hand before this rejects. */
  async run(): Promise<void> {
    this.#addReceiver();
    let failure: { error: unknown } | undefined;
    // Receivers are added while others run.
    for (let ended = 0; ended < this.#receivers.length; ended++) {
      await this.#receivers[ended]?.catch((error: unknown) => {
        failure ??= { error };
      });
    }
    if (failure === undefined) return this.#hidden.putBackAll();
    await this.#hidden.putBackAll().catch(comeBackByThemselves);
    throw failure.error;
  }

  #addReceiver(): void {
    if (this.#receivers.length >= this.#mostReceivers) return;
    const receiving = this.#receiveUntilEnd().catch((error: unknown) => {
      this.#isOver = true;
      throw error;
    });
    // Looked at in turn, later.
    receiving.catch(() => {});
    this.#receivers.push(receiving);
  }

  async #receiveUntilEnd(): Promise<void> {
    for (let emptyAnswers = 0; emptyAnswers < EMPTY_ANSWERS_UNTIL_END && !this.#hasEnded; ) {
      const letters = await this.#receive();
      emptyAnswers = letters.length === 0 ? emptyAnswers + 1 : 0;
      if (letters.length > 0) this.#addReceiver();
      await this.#lookAt(letters);
    }
  }

  get #hasEnded(): boolean {
    return this.#isOver || (this.#signal?.aborted ?? false);
  }

  async #lookAt(letters: readonly Message[]): Promise<void> {
    const verdicts = await Promise.all(letters.map((letter) => this.#mayDelete(letter)));
    await this.#remove(letters.filter((_, index) => verdicts[index]));
    await this.#hidden.add(letters.filter((_, index) => !verdicts[index]));
  }

  /** One that comes back is not handled again. When it was to be deleted, it is now: SQS may keep a copy. */
  async #mayDelete(message: Message): Promise<boolean> {
    const { MessageId = '' } = message;
    const letter = toDeadLetter(message);
    const isNew = this.#known.add(MessageId);
    this.#count(isNew && letter.sentAt.getTime() <= this.#startedAt);
    if (!isNew) return this.#inHand.get(MessageId) ?? this.#deletable.has(MessageId);
    const verdict = this.#handle(letter);
    this.#inHand.set(MessageId, verdict);
    const mayDelete = await verdict.finally(() => this.#inHand.delete(MessageId));
    if (mayDelete) this.#deletable.add(MessageId);
    return mayDelete;
  }

  /** What has come since the start is looked at, but does not keep the scan going. */
  #count(isNewOfStart: boolean): void {
    this.#knownInARow = isNewOfStart ? 0 : this.#knownInARow + 1;
    const untilEnd = Math.min(KNOWN_LETTERS_UNTIL_END, TIMES_KNOWN_UNTIL_END * this.#known.size);
    if (this.#knownInARow >= untilEnd) this.#isOver = true;
  }

  async #receive(): Promise<Message[]> {
    const { sqs, deadLetterQueueUrl } = this.#target;
    const command = new ReceiveMessageCommand({
      QueueUrl: deadLetterQueueUrl,
      MaxNumberOfMessages: MAX_BATCH_ENTRIES,
      VisibilityTimeout: this.#visibilityTimeout(),
      WaitTimeSeconds: POLL_SECONDS,
      MessageSystemAttributeNames: ['SentTimestamp'],
      MessageAttributeNames: ['reason'],
    });
    try {
      return (await sqs.send(command)).Messages ?? [];
    } catch (error) {
      // Others have so many in flight that none is left for this scan.
      if (error instanceof OverLimit) return [];
      throw error;
    }
  }

  #visibilityTimeout(): number {
    const scannedSeconds = Math.ceil((Date.now() - this.#startedAt) / 1_000);
    const seconds = Math.max(this.#hiddenSeconds, HIDDEN_PER_SECOND_SCANNED * scannedSeconds);
    return Math.min(seconds, MAX_VISIBILITY_TIMEOUT_SECONDS);
  }

  async #remove(letters: readonly Message[]): Promise<void> {
    if (letters.length === 0) return;
    const { sqs, deadLetterQueueUrl } = this.#target;
    const Entries = letters.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const command = new DeleteMessageBatchCommand({ QueueUrl: deadLetterQueueUrl, Entries });
    const { Failed = [] } = await sqs.send(command);
    for (const { MessageId = '' } of letters) this.#undeleted.delete(MessageId);
    for (const { Id } of Failed) this.#undeleted.add(letters[Number(Id)]?.MessageId ?? '');
  }
}

/** The error that ended the scan matters more. */
function comeBackByThemselves(): void {}

function toDeadLetter({ MessageId = '', Body = '', Attributes, MessageAttributes }: Message): DeadLetter {
  return {
    id: MessageId,
    body: Body,
    reason: MessageAttributes?.['reason']?.StringValue,
    sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)),
  };
}

const COUNTS: QueueAttributeName[] = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];

async function countLetters({ sqs, deadLetterQueueUrl }: JobTarget): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: COUNTS });
  const { Attributes = {} } = await sqs.send(command);
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
