import { DEADLINE_RESERVE_MS } from '../shared/contract/limits.ts';
import type { Pace } from './pace.ts';

/** Whether a loop is ending, and how much of what is in hand may still be begun. */
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

  /** Whether the time is up: what is still at work is killed. */
  get isOver(): boolean {
    return this.msLeft <= 0;
  }

  /** Until the time is up; infinite while nothing ends. */
  get msLeft(): number {
    return this.#until - performance.now();
  }

  /** Nothing more is received. Asked again, it shortens the time. */
  begin(drainMs: number, beginsMore: boolean): void {
    this.#until = Math.min(this.#until, performance.now() + drainMs);
    this.#beginsMore &&= beginsMore;
    this.#stopping.abort();
  }

  /** A timer may be some microseconds early: from here on nothing is left. */
  timeIsUp(): void {
    this.#until = Math.min(this.#until, performance.now());
  }

  /** How many messages one batch may have now. */
  mayBegin(pace: Pace): number {
    if (!this.isStopping) return Number.POSITIVE_INFINITY;
    return this.#beginsMore ? pace.messagesIn(this.msLeft - DEADLINE_RESERVE_MS) : 0;
  }
}
