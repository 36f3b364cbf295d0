/**
 * A rate limit (GCRA): each passage takes its time of it, and up to `burstSeconds` of time that was not used
 * are kept. With none, passages follow one another.
 */
export class Gate {
  readonly #burstSeconds: number;
  /** When the limit has made up for all that has passed. */
  #evenAt = 0;

  constructor(burstSeconds: number) {
    this.#burstSeconds = burstSeconds;
  }

  /** The first moment from `now` on at which something that takes so many seconds may pass. */
  opensAt(now: number, seconds: number): number {
    return Math.max(now, this.#evenAt - Math.max(0, this.#burstSeconds - seconds));
  }

  pass(now: number, seconds: number): void {
    this.#evenAt = Math.max(this.#evenAt, now) + seconds;
  }
}
