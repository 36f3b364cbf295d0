import { BatchFill, type BatchLimits, inBatches } from './batches.ts';
import { MAX_HOPS, MAX_IMAGES_PER_MESSAGE, MAX_MESSAGE_BYTES } from './limits.ts';
import { type Envelope, formatMessage, type ImageRef } from './message.ts';
import { bytesInMessage } from './sqs-json.ts';
import { UserError } from './user-error.ts';

/** An image is too large even for a message of its own. */
export class ImageTooLargeError extends UserError {
  override readonly name = 'ImageTooLargeError';
}

/** The body of a message, and how many images are in it. */
export type PackedMessage = { body: string; images: number };

/**
 * Packs images into message bodies, in order, each as full as the limits allow.
 *
 * @param perMessage 1 to 1,000
 * @throws {ImageTooLargeError} when an image does not fit into a message of 1 MiB
 */
export async function* packMessages(
  envelope: Envelope,
  images: Iterable<ImageRef> | AsyncIterable<ImageRef>,
  perMessage: number = MAX_IMAGES_PER_MESSAGE,
): AsyncGenerator<PackedMessage> {
  const sizes = new SizeInMessage(envelope);
  for await (const batch of inBatches(images, sizes.limits(perMessage), (image) => sizes.of(image))) {
    yield { body: formatMessage({ ...envelope, images: batch }), images: batch.length };
  }
}

/** How many messages {@link packMessages} would yield, and their bytes, without building them. */
export class MessageCount {
  readonly perMessage: number;
  readonly #fill: BatchFill;
  readonly #envelopeBytes: number;
  messages = 0;
  bytes = 0;

  constructor(sizes: SizeInMessage, perMessage: number) {
    this.perMessage = perMessage;
    this.#fill = new BatchFill(sizes.limits(perMessage));
    this.#envelopeBytes = sizes.envelopeBytes;
  }

  /** @param size of the next image, by {@link SizeInMessage} */
  add(size: number): void {
    if (this.#fill.add(size)) {
      this.messages++;
      this.bytes += this.#envelopeBytes;
    }
    this.bytes += size;
  }
}

/** The sizes of images within messages that have a given envelope. */
export class SizeInMessage {
  /** The bytes of a message without its images, at most. */
  readonly envelopeBytes: number;

  constructor(envelope: Envelope) {
    // Exact to the byte: the worker must be able to send on every image that came in a message of its own, however often
    // it was sent on before. A single image has no comma after it.
    this.envelopeBytes = Buffer.byteLength(formatMessage({ ...envelope, hops: MAX_HOPS, images: [] })) - 1;
  }

  /** What a message may hold, given its maximum number of images. */
  limits(perMessage: number): BatchLimits {
    return { maxItems: perMessage, maxBytes: MAX_MESSAGE_BYTES, fixedBytes: this.envelopeBytes };
  }

  /**
   * The bytes of an image with the comma after it. An image that only fits without its optional escapes counts as a full message.
   *
   * @throws {ImageTooLargeError}
   */
  of(image: ImageRef): number {
    const most = MAX_MESSAGE_BYTES - this.envelopeBytes;
    const { escaped, shortest } = bytesInMessage(image);
    if (shortest + 1 > most) {
      throw new ImageTooLargeError(
        `expected at most ${most} bytes of JSON per image, got ${shortest + 1} for the id ${image.id.slice(0, 80)}`,
      );
    }
    return Math.min(escaped + 1, most);
  }
}
