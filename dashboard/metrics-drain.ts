const WINDOW_MS = 5 * 60_000;
/** Readings closer together than this are too noisy for a rate, and are dropped. */
const MIN_APART_MS = 5_000;

type Reading = { at: number; messages: number };

/**
 * Estimates the time until a queue is empty, at its rate since it was fullest within the last five minutes. The rate
 * includes arrivals and retries.
 */
export class DrainEstimate {
  /** Oldest first, at most one for each `MIN_APART_MS` of the window. */
  #readings: Reading[] = [];

  /**
   * @param messages in the queue: waiting, in flight and delayed
   * @param at milliseconds since 1970
   * @returns seconds; infinite for a queue that does not shrink, undefined while the rate is unknown
   */
  seconds(messages: number, at: number): number | undefined {
    this.#readings = this.#readings.filter((reading) => reading.at > at - WINDOW_MS && reading.at <= at);
    const before = this.#readings;
    const last = before.at(-1);
    if (last === undefined || at - last.at >= MIN_APART_MS) this.#readings = [...before, { at, messages }];
    if (messages === 0) return 0;
    const fullest = before.reduce<Reading | undefined>(
      (most, reading) => (most === undefined || reading.messages >= most.messages ? reading : most),
      undefined,
    );
    if (fullest === undefined || at - fullest.at < MIN_APART_MS) return undefined;
    const gone = fullest.messages - messages;
    return gone > 0 ? (messages * (at - fullest.at)) / 1_000 / gone : Number.POSITIVE_INFINITY;
  }
}
