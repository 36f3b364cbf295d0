import { setTimeout as delay } from 'node:timers/promises';
import type { Range } from '../contract/units.ts';
import type { Buckets } from './buckets.ts';
import { type Facts, type Insight, NO_FACTS } from './insight.ts';
import type { MessageSample } from './message-samples.ts';

/** The longest wait of a poll or a chart for a source of insight, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/** The last answers of a source of insight. A slow or unreachable source delays neither a poll nor a chart. */
export class LastInsight {
  readonly #insight: Insight | undefined;
  #facts: Facts = NO_FACTS;
  #asking: Promise<void> | undefined;
  readonly #samples = new Map<Range, MessageSample[]>();

  constructor(insight: Insight | undefined) {
    this.#insight = insight;
  }

  /** The latest facts. */
  get facts(): Facts {
    return this.#facts;
  }

  /** Requests facts, one request at a time; an answer after more than a second is used by a later poll. */
  async ask(now: number): Promise<void> {
    this.#asking ??= this.#insight
      ?.facts(now)
      .then(
        (facts) => {
          this.#facts = facts;
        },
        () => undefined,
      )
      .finally(() => {
        this.#asking = undefined;
      });
    await within(this.#asking);
  }

  /** Samples from before this process started; the previous answer, if a new one takes too long. */
  async samples(range: Range, buckets: Buckets): Promise<MessageSample[]> {
    const answer = this.#insight?.history?.(buckets).then(
      (samples) => void this.#samples.set(range, samples),
      () => undefined,
    );
    await within(answer);
    return this.#samples.get(range) ?? [];
  }
}

/** @returns when it is settled, or after a second */
async function within(answer: Promise<void> | undefined): Promise<void> {
  if (answer === undefined) return;
  const settled = new AbortController();
  const wait = delay(MAX_WAIT_MS, undefined, { signal: settled.signal, ref: false }).catch(() => undefined);
  await Promise.race([answer, wait]);
  settled.abort();
}
