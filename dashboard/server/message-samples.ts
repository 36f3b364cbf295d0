/** The known message counts of the queue at one time; null is unknown. */
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

/** Samples younger than this are all kept; of older ones, one per minute. */
const FINE_MS = 3_600_000;
const COARSE_MS = 60_000;
const KEPT_MS = 7 * 24 * 3_600_000;
/** New samples between two compactions. */
const COMPACT_EVERY = 600;

/** Samples of the queue since the server started: SQS itself keeps no history. */
export class MessageSamples {
  #samples: MessageSample[] = [];
  #sinceCompacted = 0;

  /** In order of time. */
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
