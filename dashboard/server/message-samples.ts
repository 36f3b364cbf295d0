/** What was known of the queue's messages at one time; null is not known. */
export type MessageSample = {
  at: number;
  waiting: number | null;
  inFlight: number | null;
  delayed: number | null;
  dead: number | null;
  ageSeconds: number | null;
};

/** The figures of a sample. */
export const SAMPLED = ['waiting', 'inFlight', 'delayed', 'dead', 'ageSeconds'] as const;

/** Samples younger than this are kept as they are; of older ones, one per minute. */
const FINE_MS = 3_600_000;
const COARSE_MS = 60_000;
const KEPT_MS = 7 * 24 * 3_600_000;
/** Samples that come before old ones are looked at again. */
const COMPACT_EVERY = 600;

/** What the queue looked like since the server was started: SQS itself remembers nothing. */
export class MessageSamples {
  #samples: MessageSample[] = [];
  #sinceCompacted = 0;

  /** In the order of their times. */
  get all(): readonly MessageSample[] {
    return this.#samples;
  }

  add(sample: MessageSample): void {
    this.#samples.push(sample);
    if (++this.#sinceCompacted >= COMPACT_EVERY) this.#compact(sample.at);
  }

  #compact(now: number): void {
    this.#sinceCompacted = 0;
    let lastMinute = -1;
    this.#samples = this.#samples.filter(({ at }) => {
      if (now - at < FINE_MS) return true;
      const minute = Math.floor(at / COARSE_MS);
      const isFirst = minute !== lastMinute;
      lastMinute = minute;
      return isFirst && now - at < KEPT_MS;
    });
  }
}
