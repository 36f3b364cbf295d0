import { createHash } from 'node:crypto';
import { ImageFailure } from '../../contract/error-codes.ts';
import type { ImageFacts } from '../../contract/result-line.ts';
import type { PutOff } from '../put-off.ts';
import { type DecodeOptions, decodePatiently, decodePicture } from './decode-picture.ts';
import { inspect } from './inspect/inspect.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';

export type { PictureFormat } from './picture.ts';

/** An image as the model takes it, and facts about the original. */
export type DecodedImage = {
  /** RGB, 8 bit, row by row: inputSize x inputSize x 3 bytes. */
  pixels: Uint8Array;
  facts: ImageFacts;
};

/**
 * Decodes an image of any supported format into the pixels that the model takes: rotated by its EXIF orientation, in sRGB,
 * transparency on white, the first frame of an animation, the centre square.
 *
 * @param signal aborts a decode that has not started or can be interrupted; the promise then rejects with its reason
 */
export async function decodeImage(
  bytes: Buffer,
  format: PictureFormat,
  signal?: AbortSignal,
): Promise<DecodedImage | ImageFailure> {
  return decodeWith((picture) => decodePatiently(picture, format, signal), bytes);
}

/** As `decodeImage`, but an expensive image is put off when too many others wait. */
export async function decodeOrPutOff(
  bytes: Buffer,
  format: PictureFormat,
  options: DecodeOptions,
): Promise<DecodedImage | ImageFailure | PutOff> {
  return decodeWith((picture) => decodePicture(picture, format, options), bytes);
}

async function decodeWith<Other extends ImageFailure | PutOff>(
  decode: (picture: Inspected) => Promise<Decoded | Other>,
  bytes: Buffer,
): Promise<DecodedImage | Other | ImageFailure> {
  const picture = await inspect(bytes);
  if (picture instanceof ImageFailure) return picture;
  const decoded = await decode(picture);
  if (!('pixels' in decoded)) return decoded;
  const { width, height } = decoded.size;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { pixels: decoded.pixels, facts: { width, height, format: picture.format, bytes: bytes.length, sha256 } };
}
