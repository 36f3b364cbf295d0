import { MAX_IMAGES_PER_MESSAGE, MIN_IMAGES_FOR_OWN_PART } from './limits.ts';

/**
 * The numbers of images per message that are chosen from. Messages with fewer images would share part files, whose counts are
 * less certain.
 */
export const MESSAGE_SIZES = [MIN_IMAGES_FOR_OWN_PART, 64, 125, 250, 500, MAX_IMAGES_PER_MESSAGE] as const;
/** One of {@link MESSAGE_SIZES}. */
export type MessageSize = (typeof MESSAGE_SIZES)[number];

/**
 * The minimum ratio of messages to images per message: with four times as many images, messages are twice as large, and twice
 * as many (docs/decisions/images-per-message.md).
 */
const MESSAGES_PER_IMAGE = 4;

/** Images per message for a job: few for a small job, so that it is spread over workers, and many for a large one. */
export function messageSizeFor(images: number): MessageSize {
  return MESSAGE_SIZES.findLast((size) => images >= MESSAGES_PER_IMAGE * size * size) ?? MESSAGE_SIZES[0];
}
