import { MAX_HOPS, MAX_IMAGES_PER_MESSAGE, MAX_MESSAGE_BYTES } from './limits.ts';
import { type Envelope, formatMessage, type ImageRef } from './message.ts';
import { UserError } from './user-error.ts';

/** An image that is too large for a message of its own. */
export class ImageTooLargeError extends UserError {
  override readonly name = 'ImageTooLargeError';
}

/** The body of a message, and how many images are in it. */
export type PackedMessage = { body: string; images: number };

/**
 * Packs images into message bodies, in order, with as many in each as are allowed and fit.
 *
 * @param perMessage 1 to 1,000
 * @throws {ImageTooLargeError} when an image does not fit a message of 1 MiB
 */
export async function* packMessages(
  envelope: Envelope,
  images: Iterable<ImageRef> | AsyncIterable<ImageRef>,
  perMessage: number = MAX_IMAGES_PER_MESSAGE,
): AsyncGenerator<PackedMessage> {
  // To the byte: the worker must be able to send each image on that came in a message of its own, however often it
  // was sent on before. One image has no comma behind it.
  const envelopeBytes = Buffer.byteLength(formatMessage({ ...envelope, hops: MAX_HOPS, images: [] })) - 1;
  let packed: ImageRef[] = [];
  let bytes = envelopeBytes;
  for await (const image of images) {
    const size = bytesOf(image);
    if (size + envelopeBytes > MAX_MESSAGE_BYTES) {
      throw new ImageTooLargeError(
        `expected at most ${MAX_MESSAGE_BYTES - envelopeBytes} bytes of JSON an image, got ${size} for the id ${image.id.slice(0, 80)}`,
      );
    }
    if (packed.length === perMessage || bytes + size > MAX_MESSAGE_BYTES) {
      yield { body: formatMessage({ ...envelope, images: packed }), images: packed.length };
      packed = [];
      bytes = envelopeBytes;
    }
    packed.push(image);
    bytes += size;
  }
  if (packed.length > 0) yield { body: formatMessage({ ...envelope, images: packed }), images: packed.length };
}

/** With the comma behind it, and with what SQS's escapes may add. */
function bytesOf(image: ImageRef): number {
  const json = JSON.stringify(image);
  const escapes = json.match(/[\uFFFE\uFFFF]/g)?.length ?? 0;
  return Buffer.byteLength(json) + 1 + escapes * 3;
}
