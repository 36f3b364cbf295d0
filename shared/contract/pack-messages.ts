import { MAX_HOPS, MAX_IMAGES_PER_MESSAGE, MAX_MESSAGE_BYTES } from './limits.ts';
import { type Envelope, formatMessage, type ImageRef } from './message.ts';
import { bytesInMessage } from './sqs-json.ts';
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
    const size = bytesOf(image, MAX_MESSAGE_BYTES - envelopeBytes);
    if (packed.length === perMessage || bytes + size > MAX_MESSAGE_BYTES) {
      if (packed.length > 0) yield { body: formatMessage({ ...envelope, images: packed }), images: packed.length };
      packed = [];
      bytes = envelopeBytes;
    }
    packed.push(image);
    bytes += size;
  }
  if (packed.length > 0) yield { body: formatMessage({ ...envelope, images: packed }), images: packed.length };
}

/**
 * With the comma behind it.
 *
 * @param most what an image may take; all of it for one that fits only without the escapes that may be left out
 * @throws {ImageTooLargeError}
 */
function bytesOf(image: ImageRef, most: number): number {
  const { escaped, shortest } = bytesInMessage(image);
  if (shortest + 1 > most) {
    throw new ImageTooLargeError(
      `expected at most ${most} bytes of JSON per image, got ${shortest + 1} for the id ${image.id.slice(0, 80)}`,
    );
  }
  return Math.min(escaped + 1, most);
}
