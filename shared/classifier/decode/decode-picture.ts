import { Mutex, Semaphore } from 'async-mutex';
import type { ImageError } from '../../contract/error-codes.ts';
import { MAX_IMAGE_PIXELS } from '../../contract/limits.ts';
import { decodeApart } from './decode-apart.ts';
import { BYTES_PER_PIXEL } from './inspect/limits.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';
import { decodeWithSharp } from './sharp-decoder.ts';

/**
 * A file of a kilobyte can take a gigabyte to decode. All that is decoded at once, in this process or apart, may take
 * as much memory as the largest AVIF. In shares of it rather than in bytes, since the semaphore counts down all of its
 * weights whenever one is given back.
 */
const SHARES = 50;
const MEGABYTES_PER_SHARE = (MAX_IMAGE_PIXELS * BYTES_PER_PIXEL.avif) / 1e6 / SHARES;
/** Small ones too are decoded no more than so many at once: more only push each other out of the caches. */
const DECODES_AT_ONCE = 4;

const memory = new Semaphore(SHARES);
/** Expensive pictures take turns, so that however many there are, the others get by. */
const apart = new Mutex();

/** Decodes a picture when its turn comes: apart from this process where that may take long. */
export async function decodePicture(picture: Inspected, format: PictureFormat): Promise<Decoded | ImageError> {
  const shares = Math.min(SHARES, Math.max(1, Math.ceil(picture.megabytes / MEGABYTES_PER_SHARE)));
  if (picture.expensive) {
    return apart.runExclusive(() => memory.runExclusive(() => decodeApart(picture, format), shares));
  }
  const least = Math.ceil(SHARES / DECODES_AT_ONCE);
  return memory.runExclusive(() => decodeWithSharp(picture, format), Math.max(least, shares));
}
