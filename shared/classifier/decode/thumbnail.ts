import sharp from 'sharp';
import { ImageFailure } from '../../contract/error-codes.ts';
import { decodePatiently } from './decode-picture.ts';
import { inspect } from './inspect/inspect.ts';
import type { PictureFormat } from './picture.ts';

/** Side of a thumbnail on a screen with two pixels per point, and its quality: about 6 kB each. */
const SIDE = 240;
const QUALITY = 70;
const FORMAT: PictureFormat = { inputSize: SIDE, crop: 1, interpolation: 'lanczos3' };

/** A small square WebP of an image, for web pages: the centre, after applying its orientation. */
export async function makeThumbnail(bytes: Buffer): Promise<Buffer | ImageFailure> {
  const picture = await inspect(bytes);
  if (picture instanceof ImageFailure) return picture;
  const decoded = await decodePatiently(picture, FORMAT);
  if (decoded instanceof ImageFailure) return decoded;
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
  return sharp(decoded.pixels, { raw }).webp({ quality: QUALITY }).toBuffer();
}
