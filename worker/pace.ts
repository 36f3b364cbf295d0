import { EVENT_SOURCE_BATCH_SIZE } from '../shared/contract/limits.ts';

/** A message of 100 images on one core; what is measured takes its place at once. */
const FIRST_GUESS_MS = 2_500;
/** Of the latest batch in the average. */
const WEIGHT = 0.5;
/**
 * Work that a batch should be: long against the end of a batch, at which a core waits for the last images (a few tenths of a
 * second), and short enough to be finished after a signal. As much is held in advance, so no message waits longer.
 */
const BATCH_MS = 20_000;

/** How long a message takes lately, and how many make a batch. */
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

  /** How many messages of one batch can be done in so many milliseconds; may be 0. */
  messagesIn(milliseconds: number): number {
    return Math.max(0, Math.min(this.#mostMessages, Math.floor(milliseconds / this.#msPerMessage)));
  }
}
