import { setTimeout as delay } from 'node:timers/promises';
import { EVENT_SOURCE_BATCH_SIZE } from '../shared/contract/limits.ts';
import type { LoopParts } from './loop-parts.ts';

/** An idle loop costs a request per this many seconds, and stops at most this long after its signal. */
export const POLL_SECONDS = 5;
/** Share of a lease: a message must not use up its lease within a response. */
const POLLS_PER_LEASE = 4;

/** Receives messages while there is room for them. */
export class Intake {
  readonly #parts: LoopParts;
  /** Messages that polls in progress may return. */
  #asked = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  /** Whether polls in progress may still return messages. */
  get isExpecting(): boolean {
    return this.#asked > 0;
  }

  /** One poller; several may run concurrently. */
  async poll(): Promise<void> {
    const { drain, changed } = this.#parts;
    while (!drain.isStopping) {
      const room = this.#room();
      if (room > 0) await this.#receive(Math.min(room, EVENT_SOURCE_BATCH_SIZE));
      else await changed.wait();
    }
  }

  /** Room for one batch in advance per ready process; what other polls may return counts as received. */
  #room(): number {
    const { ready, pace, held } = this.#parts;
    return ready.size * pace.batchSize - held.waiting - this.#asked;
  }

  async #receive(most: number): Promise<void> {
    const { calls, held, counts, changed, fail } = this.#parts;
    const waitSeconds = this.#waitSeconds();
    this.#asked += most;
    try {
      const messages = await calls.receive(most, waitSeconds);
      counts.received += messages.length;
      held.add(messages);
      if (messages.length === 0 && waitSeconds === 0) await delay(this.#shortPauseMs());
    } catch (error) {
      fail();
      throw error;
    } finally {
      this.#asked -= most;
      changed.all();
    }
  }

  #waitSeconds(): number {
    const { pollSeconds = POLL_SECONDS, visibilitySeconds } = this.#parts.options;
    return Math.min(pollSeconds, Math.floor(visibilitySeconds / POLLS_PER_LEASE));
  }

  /** Pause between short polls, for a queue with a very short visibility timeout. */
  #shortPauseMs(): number {
    return (this.#parts.options.visibilitySeconds * 1_000) / (5 * POLLS_PER_LEASE);
  }
}
