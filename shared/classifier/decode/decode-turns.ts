import type { ImageFailure } from '../../contract/error-codes.ts';
import { IMAGES_IN_FLIGHT, PUT_OFF_BEFORE_WAITING } from '../../contract/limits.ts';
import { PutOff } from '../put-off.ts';
import type { ApartQueue } from './apart-queue.ts';
import { type DecodedImage, decodeOrPutOff, type PictureFormat } from './decode-image.ts';

/**
 * The decodes of the images of one call. Expensive ones are put off when too many wait, so that they do not delay the others,
 * unless there are no others.
 */
export class DecodeTurns {
  readonly #apart: ApartQueue;
  readonly #format: PictureFormat;
  readonly #signal: AbortSignal;
  #cheap = 0;
  #putOff = 0;

  /** @param signal aborts decodes that have not started or can be interrupted; their promises then reject */
  constructor(apart: ApartQueue, format: PictureFormat, signal: AbortSignal) {
    this.#apart = apart;
    this.#format = format;
    this.#signal = signal;
  }

  /** How many images should be in flight: if all were expensive so far, fetching more would be wasted. */
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
