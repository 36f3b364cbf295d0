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
  const sizes = new SizeInMessage(envelope);
  const message = new MessageFill(sizes.envelopeBytes, perMessage);
  let packed: ImageRef[] = [];
  for await (const image of images) {
    if (message.add(sizes.of(image)) && packed.length > 0) {
      yield { body: formatMessage({ ...envelope, images: packed }), images: packed.length };
      packed = [];
    }
    packed.push(image);
  }
  if (packed.length > 0) yield { body: formatMessage({ ...envelope, images: packed }), images: packed.length };
}

/** How many messages {@link packMessages} makes of images, and their bytes, without making them. */
export class MessageCount {
  readonly perMessage: number;
  readonly #fill: MessageFill;
  messages = 0;
  bytes = 0;

  constructor({ envelopeBytes }: SizeInMessage, perMessage: number) {
    this.perMessage = perMessage;
    this.#fill = new MessageFill(envelopeBytes, perMessage);
  }

  /** @param size of the next image, by {@link SizeInMessage} */
  add(size: number): void {
    if (this.#fill.add(size)) {
      this.messages++;
      this.bytes += this.#fill.envelopeBytes;
    }
    this.bytes += size;
  }
}

/** What images take of the messages of an envelope. */
export class SizeInMessage {
  /** What a message has beside its images at most. */
  readonly envelopeBytes: number;

  constructor(envelope: Envelope) {
    // To the byte: the worker must be able to send each image on that came in a message of its own, however often it
    // was sent on before. One image has no comma behind it.
    this.envelopeBytes = Buffer.byteLength(formatMessage({ ...envelope, hops: MAX_HOPS, images: [] })) - 1;
  }

  /**
   * With the comma behind it. An image that fits only without the escapes that may be left out takes all there is.
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

/** When a message is full, and the next image begins another one. */
class MessageFill {
  readonly envelopeBytes: number;
  readonly #perMessage: number;
  #images = 0;
  #bytes = 0;

  constructor(envelopeBytes: number, perMessage: number) {
    this.envelopeBytes = envelopeBytes;
    this.#perMessage = perMessage;
  }

  /** @returns whether the image is the first of a message */
  add(size: number): boolean {
    const isFirst = this.#images === 0 || this.#images === this.#perMessage || this.#bytes + size > MAX_MESSAGE_BYTES;
    if (isFirst) {
      this.#images = 0;
      this.#bytes = this.envelopeBytes;
    }
    this.#images++;
    this.#bytes += size;
    return isFirst;
  }
}
