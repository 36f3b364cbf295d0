import { EVENT_SOURCE_BATCH_SIZE } from '../shared/contract/limits.ts';

/** The initial estimate: a message of 100 images on one core. */
const FIRST_GUESS_MS = 2_500;
/** The weight of the latest batch in the moving average. */
const WEIGHT = 0.5;
/**
 * Target duration of a batch: long compared to its end, when the core waits for the last images (tenths of a second), and short
 * enough to finish after a signal. As much is held in advance, so no message waits longer.
 */
const BATCH_MS = 20_000;

/** The recent duration per message, and the batch size by it. */
export class Pace {
  readonly #mostMessages: number;
  #msPerMessage = FIRST_GUESS_MS;
  #isGuess = true;

  constructor(mostMessages: number = EVENT_SOURCE_BATCH_SIZE) {
    this.#mostMessages = mostMessages;
  }

  took(messages: number, milliseconds: number): void {
    const latest = Math.max(1, milliseconds / messages);
    this.#msPerMessage = this.#isGuess ? latest : WEIGHT * latest + (1 - WEIGHT) * this.#msPerMessage;
    this.#isGuess = false;
  }

  get batchSize(): number {
    return this.messagesIn(BATCH_MS) || 1;
  }

  /** How many messages of a batch can be done within a time in milliseconds; may be 0. */
  messagesIn(milliseconds: number): number {
    return Math.max(0, Math.min(this.#mostMessages, Math.floor(milliseconds / this.#msPerMessage)));
  }
}
