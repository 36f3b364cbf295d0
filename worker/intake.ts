import { setTimeout as delay } from 'node:timers/promises';
import { EVENT_SOURCE_BATCH_SIZE } from '../shared/contract/limits.ts';
import type { LoopParts } from './loop-parts.ts';

/** An idle loop costs a request per so many seconds, and ends this long after its signal at most. */
export const POLL_SECONDS = 5;
/** Of a lease: a message must not wait in an answer until its lease is used up. */
const POLLS_PER_LEASE = 4;

/** Receives messages as long as there is room for them. */
export class Intake {
  readonly #parts: LoopParts;
  /** Messages that polls under way may bring. */
  #asked = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  /** Whether messages may still come from polls under way. */
  get isExpecting(): boolean {
    return this.#asked > 0;
  }

  /** One poller; several may run at once. */
  async poll(): Promise<void> {
    const { drain, changed } = this.#parts;
    while (!drain.isStopping) {
      const room = this.#room();
      if (room > 0) await this.#receive(Math.min(room, EVENT_SOURCE_BATCH_SIZE));
      else await changed.wait();
    }
  }

  /** A batch in advance for each process that can take it; what other polls may bring counts as there. */
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

  /** Between polls that do not wait, of a queue that hides messages for next to no time. */
  #shortPauseMs(): number {
    return (this.#parts.options.visibilitySeconds * 1_000) / (5 * POLLS_PER_LEASE);
  }
}
