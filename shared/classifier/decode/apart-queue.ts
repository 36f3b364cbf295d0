import type { ImageFailure } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS, MAX_EXPENSIVE_IMAGES } from '../../contract/limits.ts';
import { PutOff } from '../put-off.ts';
import { decodeApart } from './decode-apart.ts';
import { decoderMemory } from './decoder-memory.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';

/** The limits of the queue. */
export type ApartQueueOptions = {
  /** Maximum number of pictures that are decoded or wait; further ones are put off. */
  most?: number;
  /** Per picture, once its process has started. */
  timeoutSeconds?: number;
};

/**
 * Decodes expensive pictures one at a time in an isolated process, so that they do not delay the others, however many there are.
 * Only a few wait: each holds the bytes of its image, and one of the images in flight.
 */
export class ApartQueue {
  readonly most: number;
  readonly #timeoutSeconds: number;
  #present = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** The duration of the last picture; initially the timeout. */
  #secondsEach: number;

  constructor({ most = MAX_EXPENSIVE_IMAGES, timeoutSeconds = DECODE_TIMEOUT_SECONDS }: ApartQueueOptions = {}) {
    this.most = most;
    this.#timeoutSeconds = timeoutSeconds;
    this.#secondsEach = timeoutSeconds;
  }

  /**
   * Decodes a picture when its turn comes.
   *
   * @param signal aborts the wait or the decode; the promise then rejects with its reason
   * @throws when the isolated process cannot be started, or crashes
   */
  async decode(
    picture: Inspected,
    format: PictureFormat,
    signal: AbortSignal,
  ): Promise<Decoded | ImageFailure | PutOff> {
    if (this.#present >= this.most) return this.#putOff();
    this.#present++;
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    try {
      await before;
      signal.throwIfAborted();
      return await decoderMemory.whileApart(picture, signal, () => this.#decodeNow(picture, format, signal));
    } finally {
      this.#present--;
      turn.resolve();
    }
  }

  async #decodeNow(picture: Inspected, format: PictureFormat, signal: AbortSignal): Promise<Decoded | ImageFailure> {
    const started = performance.now();
    const decoded = await decodeApart(picture, format, { timeoutSeconds: this.#timeoutSeconds, signal });
    this.#secondsEach = (performance.now() - started) / 1_000;
    return decoded;
  }

  #putOff(): PutOff {
    const expected = 'expected the decoder of expensive images to be free: too many of them came before this one';
    return new PutOff('decoder_busy', this.#present * this.#secondsEach, expected);
  }
}
