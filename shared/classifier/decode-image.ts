import { createHash } from 'node:crypto';
import { ImageError } from '../contract/error-codes.ts';
import type { ImageFacts } from '../contract/result-line.ts';
import { decodePicture } from './decode/decode-picture.ts';
import { inspect } from './decode/inspect/inspect.ts';
import type { PictureFormat } from './decode/picture.ts';

export type { PictureFormat } from './decode/picture.ts';

export type DecodedImage = {
  /** RGB, 8 bit, row by row: inputSize x inputSize x 3 bytes. */
  pixels: Uint8Array;
  facts: ImageFacts;
};

/**
 * Decodes an image of whatever supported format into the pixels that the model takes: upright by
 * its EXIF orientation, in sRGB, transparency on white, the first frame of an animation, the centre square.
 */
export async function decodeImage(bytes: Buffer, format: PictureFormat): Promise<DecodedImage | ImageError> {
  const picture = await inspect(bytes);
  if (picture instanceof ImageError) return picture;
  const decoded = await decodePicture(picture, format);
  if (decoded instanceof ImageError) return decoded;
  const { width, height } = decoded.size;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { pixels: decoded.pixels, facts: { width, height, format: picture.format, bytes: bytes.length, sha256 } };
}
