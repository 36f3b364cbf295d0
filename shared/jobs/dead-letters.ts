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

/** A message in the DLQ. */
export type DeadLetter = {
  /** SQS's message id, the same on every receive. */
  id: string;
  body: string;
  /** The reason that the worker gave; undefined for messages that SQS moved. */
  reason: string | undefined;
  sentAt: Date;
};

/** The result of a scan, in messages. */
export type DeadLetterScan = {
  deleted: number;
  /** Each message counted once, however often it was received. */
  lookedAt: number;
  /** In the DLQ at the start and not looked at; approximate, as the counts of SQS are. */
  notLookedAt: number;
};

/** The limits of a scan. */
export type DeadLetterScanOptions = {
  /**
   * How long a message is hidden while the rest is looked at, in seconds, 1 to 43,200; extended when the scan takes longer.
   * After an interrupted scan, messages become visible again after this time.
   */
  hiddenSeconds?: number;
  /** Maximum number of messages hidden at the same time. */
  maxHidden?: number;
  /** Maximum number of concurrent requests for ten messages: each message may have 1 MiB. */
  receivers?: number;
  /** Ends the scan: messages in progress are finished, hidden ones are made visible again. */
  signal?: AbortSignal;
};

const HIDDEN_SECONDS = 120;
/** SQS allows 120,000 messages in flight per queue; the rest is left for other readers of the DLQ. */
const MAX_HIDDEN = 100_000;
/** Each receives ten messages per round trip: together 1,800 messages per second at 90 ms. */
const MAX_RECEIVERS = 16;
/** SQS may respond from a subset of its servers: a single empty response proves nothing. */
const EMPTY_ANSWERS_UNTIL_END = 2;
/**
 * Consecutive messages that were looked at before, after which the scan ends: less than 0.1 % of the visible messages can be
 * new then if SQS returns them in random order, and none if it returns the longest visible first.
 */
const KNOWN_LETTERS_UNTIL_END = 3_000;
/** With few messages, each has then been received so often that there can be no others. */
const TIMES_KNOWN_UNTIL_END = 10;
const POLL_SECONDS = 1;
/** A message that is received again is hidden three times as long, so that none is received often. */
const HIDDEN_PER_SECOND_SCANNED = 2;

/**
 * Looks at each message of the DLQ once. Memory: two hashes per message, and the receipt handles of hidden messages. Messages
 * for which `handle` resolves to `true` are deleted; the others are made visible again at the end, or after their visibility
 * timeout when the scan is interrupted. The scan ends however many messages there are, and however many arrive meanwhile.
 *
 * @param handle does what must be done before a message may be deleted; called once per message, concurrently
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
  /** Message ids. */
  readonly #known = new IdSet();
  readonly #deletable = new IdSet();
  readonly #inProgress = new Map<string, Promise<boolean>>();
  /** Message ids that SQS failed to delete. */
  readonly #undeleted = new Set<string>();
  readonly #maxReceivers: number;
  readonly #receivers: Promise<void>[] = [];
  #knownInARow = 0;
  #isOver = false;

  constructor(
    target: JobTarget,
    handle: (letter: DeadLetter) => Promise<boolean>,
    {
      hiddenSeconds = HIDDEN_SECONDS,
      maxHidden = MAX_HIDDEN,
      receivers = MAX_RECEIVERS,
      signal,
    }: DeadLetterScanOptions,
  ) {
    this.#target = target;
    this.#handle = handle;
    this.#hiddenSeconds = hiddenSeconds;
    this.#maxReceivers = receivers;
    this.#signal = signal;
    this.#hidden = new HiddenLetters(target, maxHidden);
  }

  get lookedAt(): number {
    return this.#known.size;
  }

  get deleted(): number {
    return this.#deletable.size - this.#undeleted.size;
  }

  /** When one receiver fails, the others finish their messages before this rejects. */
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
    await this.#hidden.putBackAll().catch(becomeVisibleAfterTimeout);
    throw failure.error;
  }

  #addReceiver(): void {
    if (this.#receivers.length >= this.#maxReceivers) return;
    const receiving = this.#receiveUntilEnd().catch((error: unknown) => {
      this.#isOver = true;
      throw error;
    });
    // Looked at in turn, later.
    receiving.catch(() => {});
    this.#receivers.push(receiving);
  }

  async #receiveUntilEnd(): Promise<void> {
    for (let emptyAnswers = 0; emptyAnswers < EMPTY_ANSWERS_UNTIL_END && !this.#isFinished; ) {
      const letters = await this.#receive();
      emptyAnswers = letters.length === 0 ? emptyAnswers + 1 : 0;
      if (letters.length > 0) this.#addReceiver();
      await this.#lookAt(letters);
    }
  }

  get #isFinished(): boolean {
    return this.#isOver || (this.#signal?.aborted ?? false);
  }

  async #lookAt(letters: readonly Message[]): Promise<void> {
    const verdicts = await Promise.all(letters.map((letter) => this.#mayDelete(letter)));
    await this.#remove(letters.filter((_, index) => verdicts[index]));
    await this.#hidden.add(letters.filter((_, index) => !verdicts[index]));
  }

  /** A message that is received again is not handled again. If it was deletable, it is deleted again: SQS may have kept a copy. */
  async #mayDelete(message: Message): Promise<boolean> {
    const { MessageId = '' } = message;
    const letter = toDeadLetter(message);
    const isNew = this.#known.add(MessageId);
    this.#count(isNew && letter.sentAt.getTime() <= this.#startedAt);
    if (!isNew) return this.#inProgress.get(MessageId) ?? this.#deletable.has(MessageId);
    const verdict = this.#handle(letter);
    this.#inProgress.set(MessageId, verdict);
    const mayDelete = await verdict.finally(() => this.#inProgress.delete(MessageId));
    if (mayDelete) this.#deletable.add(MessageId);
    return mayDelete;
  }

  /** Messages that arrive after the start are looked at, but do not prolong the scan. */
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
      // Too many messages are in flight for this scan to receive more.
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

/** The error that ended the scan is more important. */
function becomeVisibleAfterTimeout(): void {}

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
