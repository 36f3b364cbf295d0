import { setTimeout as delay } from 'node:timers/promises';
import type { Range } from '../contract.ts';
import type { Buckets } from './buckets.ts';
import { type Facts, type Insight, NO_FACTS } from './insight.ts';
import type { MessageSample } from './message-samples.ts';

/** The longest wait of a look or of a chart for a source of insight, in milliseconds. */
const MOST_WAIT_MS = 1_000;

/** The last answers of a source of insight. A source that is slow, away or silent holds up neither a look nor a chart. */
export class LastInsight {
  readonly #insight: Insight | undefined;
  #facts: Facts = NO_FACTS;
  #asking: Promise<void> | undefined;
  readonly #samples = new Map<Range, MessageSample[]>();

  constructor(insight: Insight | undefined) {
    this.#insight = insight;
  }

  /** The facts that came last. */
  get facts(): Facts {
    return this.#facts;
  }

  /** Asks for facts, one request at a time; an answer that takes longer than a second counts for a later look. */
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

  /** Samples from before this process began to look: those of the last answer, if the new one takes longer. */
  async samples(range: Range, buckets: Buckets): Promise<MessageSample[]> {
    const answer = this.#insight?.history?.(buckets).then(
      (samples) => void this.#samples.set(range, samples),
      () => undefined,
    );
    await within(answer);
    return this.#samples.get(range) ?? [];
  }
}

/** @returns when it is settled, after a second at the latest */
async function within(answer: Promise<void> | undefined): Promise<void> {
  if (answer === undefined) return;
  const settled = new AbortController();
  const wait = delay(MOST_WAIT_MS, undefined, { signal: settled.signal, ref: false }).catch(() => undefined);
  await Promise.race([answer, wait]);
  settled.abort();
}
