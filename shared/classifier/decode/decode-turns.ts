import type { ImageFailure } from '../../contract/error-codes.ts';
import { IMAGES_IN_FLIGHT, PUT_OFF_BEFORE_WAITING } from '../../contract/limits.ts';
import { PutOff } from '../put-off.ts';
import type { ApartQueue } from './apart-queue.ts';
import { type DecodedImage, decodeOrPutOff, type PictureFormat } from './decode-image.ts';

/**
 * The decodes of many images that were asked for together. Expensive ones are put off where too many wait, so that the
 * others get by; unless there are no others.
 */
export class DecodeTurns {
  readonly #apart: ApartQueue;
  readonly #format: PictureFormat;
  readonly #signal: AbortSignal;
  #cheap = 0;
  #putOff = 0;

  /** @param signal gives up where a decode has not begun or can be broken off; its promise then rejects */
  constructor(apart: ApartQueue, format: PictureFormat, signal: AbortSignal) {
    this.#apart = apart;
    this.#format = format;
    this.#signal = signal;
  }

  /** How many images are worth having in flight: where all were expensive so far, more would be fetched in vain. */
  get imagesInFlight(): number {
    const allAreExpensive = this.#cheap === 0 && this.#putOff >= PUT_OFF_BEFORE_WAITING;
    return allAreExpensive ? Math.min(this.#apart.most, IMAGES_IN_FLIGHT) : IMAGES_IN_FLIGHT;
  }

  async decode(bytes: Buffer): Promise<DecodedImage | ImageFailure | PutOff> {
    let isExpensive = false;
    const decode: ApartQueue['decode'] = (...picture) => {
      isExpensive = true;
      return this.#apart.decode(...picture);
    };
    const decoded = await decodeOrPutOff(bytes, this.#format, { apart: { decode }, signal: this.#signal });
    if (decoded instanceof PutOff) this.#putOff++;
    else if (!isExpensive) this.#cheap++;
    return decoded;
  }
}
