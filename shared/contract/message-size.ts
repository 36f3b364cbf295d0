import { MAX_IMAGES_PER_MESSAGE, MIN_IMAGES_FOR_OWN_PART } from './limits.ts';

/**
 * Images per message that a job may be sent with, unless it was told a number. Fewer than the first would share part
 * files, which are counted less surely.
 */
export const MESSAGE_SIZES = [MIN_IMAGES_FOR_OWN_PART, 64, 125, 250, 500, MAX_IMAGES_PER_MESSAGE] as const;
/** One of {@link MESSAGE_SIZES}. */
export type MessageSize = (typeof MESSAGE_SIZES)[number];

/**
 * Messages that a job has at least, for each image in one of them: four times as many images make messages twice as large,
 * and twice as many of them (docs/decisions/images-per-message.md).
 */
const MESSAGES_PER_IMAGE = 4;

/** Images per message for a job of so many: few for a small job, whose workers it shares out, and many for a large one. */
export function messageSizeFor(images: number): MessageSize {
  return MESSAGE_SIZES.findLast((size) => images >= MESSAGES_PER_IMAGE * size * size) ?? MESSAGE_SIZES[0];
}
