import type { HeldMessages } from './held-messages.ts';
import type { QueueCalls } from './queue-calls.ts';

/** The interval of checks, as a share of a lease. */
const LOOKS_PER_LEASE = 6;
const LONGEST_PAUSE_MS = 10_000;
/** A lease is renewed when less than this share of it remains, which leaves time for several tries. */
const RENEW_BELOW = 2 / 3;

/** Renews the leases of all messages that a process holds, so that SQS does not redeliver them meanwhile. */
export class Heartbeat implements Disposable {
  readonly #held: HeldMessages;
  readonly #calls: QueueCalls;
  readonly #leaseMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(held: HeldMessages, calls: QueueCalls, leaseMs: number) {
    this.#held = held;
    this.#calls = calls;
    this.#leaseMs = leaseMs;
  }

  start(): void {
    const pause = Math.min(LONGEST_PAUSE_MS, this.#leaseMs / LOOKS_PER_LEASE);
    this.#timer = setTimeout(() => void this.#beat(), pause);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #beat(): Promise<void> {
    this.#held.dropLost();
    const due = this.#held.all().filter(({ isOwned, msLeft }) => isOwned && msLeft < RENEW_BELOW * this.#leaseMs);
    await this.#calls.renew(due);
    this.#held.dropLost();
    if (!this.#isOver) this.start();
  }
}
