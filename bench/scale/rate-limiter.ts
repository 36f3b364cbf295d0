/**
 * A rate limit (GCRA): each operation uses up its time, and at most `burstSeconds` of unused
 * time are kept. With 0, operations follow one another.
 */
export class RateLimiter {
  readonly #burstSeconds: number;
  /** When all that was used up is available again. */
  #availableAt = 0;

  constructor(burstSeconds: number) {
    this.#burstSeconds = burstSeconds;
  }

  /** The first moment from `now` on at which an operation that uses up so many seconds is allowed. */
  allowedAt(now: number, seconds: number): number {
    return Math.max(now, this.#availableAt - Math.max(0, this.#burstSeconds - seconds));
  }

  use(now: number, seconds: number): void {
    this.#availableAt = Math.max(this.#availableAt, now) + seconds;
  }
}
