import type { Message } from '@aws-sdk/client-sqs';
import { type Moment, msSince } from './moment.ts';

/** Share of a lease that is reserved for the latency of calls. */
const MARGIN = 0.05;

/**
 * A message that this process has received, until its visibility timeout (its lease) ends. After that SQS may have redelivered
 * it to another process: it must neither be started nor acknowledged here.
 */
export class HeldMessage {
  readonly message: Message;
  readonly #leaseMs: number;
  #since: Moment;
  #isLost = false;
  #isDeleted = false;

  /** @param since a moment before it was received: its lease started no earlier */
  constructor(message: Message, since: Moment, leaseMs: number) {
    this.message = message;
    this.#since = since;
    this.#leaseMs = leaseMs;
  }

  get id(): string {
    return this.message.MessageId ?? '';
  }

  /** Milliseconds until SQS may redeliver it; negative afterwards. */
  get msLeft(): number {
    return this.#isLost ? Number.NEGATIVE_INFINITY : this.#msByClock;
  }

  get #msByClock(): number {
    return this.#leaseMs * (1 - MARGIN) - msSince(this.#since);
  }

  /** Whether SQS no longer knew it while its lease was valid: the handler deletes finished messages before it returns. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  get isOwned(): boolean {
    return this.msLeft > 0;
  }

  /** SQS has extended the lease. A lease that had ended stays lost: the message may have been redelivered meanwhile. */
  renewed(since: Moment): void {
    if (this.isOwned) this.#since = since;
  }

  /** SQS reports that the lease has ended. */
  lost(): void {
    this.#isDeleted ||= this.isOwned;
    this.#isLost = true;
  }
}
