import type { StoredMessage } from './fauxqs-parts.ts';

/** The parts of a message that may be large. */
export type MessageContents = Pick<
  StoredMessage,
  'body' | 'md5OfBody' | 'messageAttributes' | 'md5OfMessageAttributes'
>;

/** The state that SQS needs to deliver a message of a standard queue, as in fauxqs and the database. */
export type MessageState = Pick<StoredMessage, 'messageId' | 'sentTimestamp' | 'approximateReceiveCount'> & {
  approximateFirstReceiveTimestamp?: number | null;
  delayUntil?: number | null;
};

/** Reads message contents. */
export type ContentsSource = { contentsOf(messageId: string): MessageContents };

/**
 * A message whose contents are in the queue database and are read on demand: a queue of 300,000 messages takes 60 MB of
 * memory, whatever their length.
 */
export class LazyMessage implements StoredMessage {
  readonly messageId: string;
  readonly sentTimestamp: number;
  approximateReceiveCount: number;
  approximateFirstReceiveTimestamp?: number;
  delayUntil?: number;
  /** The queue whose rows contain it. */
  queue: string;
  readonly #source: ContentsSource;

  constructor(source: ContentsSource, queue: string, state: MessageState) {
    this.#source = source;
    this.queue = queue;
    this.messageId = state.messageId;
    this.sentTimestamp = state.sentTimestamp;
    this.approximateReceiveCount = state.approximateReceiveCount;
    const { approximateFirstReceiveTimestamp: receivedAt, delayUntil } = state;
    if (typeof receivedAt === 'number') this.approximateFirstReceiveTimestamp = receivedAt;
    if (typeof delayUntil === 'number') this.delayUntil = delayUntil;
  }

  get body(): string {
    return this.#source.contentsOf(this.messageId).body;
  }

  get md5OfBody(): string {
    return this.#source.contentsOf(this.messageId).md5OfBody;
  }

  get messageAttributes(): StoredMessage['messageAttributes'] {
    return this.#source.contentsOf(this.messageId).messageAttributes;
  }

  get md5OfMessageAttributes(): string {
    return this.#source.contentsOf(this.messageId).md5OfMessageAttributes;
  }
}
