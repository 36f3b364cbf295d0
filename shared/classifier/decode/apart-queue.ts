import type { ImageFailure } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS, MAX_EXPENSIVE_IMAGES } from '../../contract/limits.ts';
import { PutOff } from '../put-off.ts';
import { decodeApart } from './decode-apart.ts';
import { decoderMemory } from './decoder-memory.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';

/** The limits of the queue. */
export type ApartQueueOptions = {
  /** Pictures that are decoded or wait at once; those beyond are put off. */
  most?: number;
  /** For one picture, once its process has started. */
  timeoutSeconds?: number;
};

/**
 * Expensive pictures take turns with one isolated process, so that however many there are, the others get by. Only a few
 * wait: each keeps the bytes of its image, and one of the images in flight.
 */
export class ApartQueue {
  readonly most: number;
  readonly #timeoutSeconds: number;
  #present = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** What the last picture took, or what one may take as long as there was none. */
  #secondsEach: number;

  constructor({ most = MAX_EXPENSIVE_IMAGES, timeoutSeconds = DECODE_TIMEOUT_SECONDS }: ApartQueueOptions = {}) {
    this.most = most;
    this.#timeoutSeconds = timeoutSeconds;
    this.#secondsEach = timeoutSeconds;
  }

  /**
   * Decodes a picture when its turn comes.
   *
   * @param signal gives up, also while the picture is decoded; the promise then rejects with its reason
   * @throws when the isolated process cannot be started, or dies
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
