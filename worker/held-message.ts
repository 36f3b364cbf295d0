import type { Message } from '@aws-sdk/client-sqs';
import { type Moment, msSince } from './moment.ts';

/** Share of a lease that is left alone: an answer, or a message to a process, takes time too. */
const MARGIN = 0.05;

/**
 * A message that SQS has lent to this process until its lease ends. After that SQS may have given it to another one: it must
 * neither be begun nor acknowledged here.
 */
export class HeldMessage {
  readonly message: Message;
  readonly #leaseMs: number;
  #since: Moment;
  #isLost = false;
  #isDeleted = false;

  /** @param since before SQS was asked for it: its lease began no earlier */
  constructor(message: Message, since: Moment, leaseMs: number) {
    this.message = message;
    this.#since = since;
    this.#leaseMs = leaseMs;
  }

  get id(): string {
    return this.message.MessageId ?? '';
  }

  /** Milliseconds until SQS may give it to another process; negative afterwards. */
  get msLeft(): number {
    return this.#isLost ? Number.NEGATIVE_INFINITY : this.#msByClock;
  }

  get #msByClock(): number {
    return this.#leaseMs * (1 - MARGIN) - msSince(this.#since);
  }

  /** Whether SQS did not know it any more while its lease was valid: the handler deletes what is done before it answers. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  get isOwned(): boolean {
    return this.msLeft > 0;
  }

  /** SQS has extended the lease. One that had ended before stays lost: who knows who has had the message meanwhile. */
  renewed(since: Moment): void {
    if (this.isOwned) this.#since = since;
  }

  /** SQS reports that the message is not lent to this process any more. */
  lost(): void {
    this.#isDeleted ||= this.isOwned;
    this.#isLost = true;
  }
}
