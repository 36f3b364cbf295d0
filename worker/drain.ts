import { DEADLINE_RESERVE_MS } from '../shared/contract/limits.ts';
import type { Pace } from './pace.ts';

/** Whether a loop is draining, and how many of its messages may still be started. */
export class Drain {
  readonly #stopping = new AbortController();
  #until = Number.POSITIVE_INFINITY;
  #beginsMore = true;

  /** Aborted once nothing more is received. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Whether the time is up: processes that still work are killed. */
  get isOver(): boolean {
    return this.msLeft <= 0;
  }

  /** Milliseconds until the time is up; infinite while not draining. */
  get msLeft(): number {
    return this.#until - performance.now();
  }

  /** Stops receiving. Called again, it shortens the time. */
  begin(drainMs: number, beginsMore: boolean): void {
    this.#until = Math.min(this.#until, performance.now() + drainMs);
    this.#beginsMore &&= beginsMore;
    this.#stopping.abort();
  }

  /** Timers may fire some microseconds early: from here on the remaining time is 0. */
  timeIsUp(): void {
    this.#until = Math.min(this.#until, performance.now());
  }

  /** How many messages a batch may have now. */
  mayBegin(pace: Pace): number {
    if (!this.isStopping) return Number.POSITIVE_INFINITY;
    return this.#beginsMore ? pace.messagesIn(this.msLeft - DEADLINE_RESERVE_MS) : 0;
  }
}
