import sharp, { type Metadata, type Sharp } from 'sharp';
import { ImageFailure } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS, MAX_IMAGE_PIXELS } from '../../contract/limits.ts';
import { convertToSrgb } from './coded-colours.ts';
import { decodeFailure } from './decode-failure.ts';
import { JPEG_END_MARK } from './inspect/jpeg.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';
import { toSquare } from './square.ts';

// Anything that libvips could load but that was not asked for is an open door: SVG, PDF, ImageMagick.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
    'VipsForeignLoadHeifBuffer',
    'VipsForeignLoadTiffBuffer',
  ],
});
/** Each image is decoded once, by one thread: images are what runs in parallel. */
export const THREADS_OF_A_DECODE = 1;
sharp.cache(false);
sharp.concurrency(THREADS_OF_A_DECODE);

/**
 * Decodes a picture in this process, which nothing can break off in the middle of a loader's work. Only for the bounds
 * that keep that short: `decodePicture`.
 */
export async function decodeWithSharp(picture: Inspected, format: PictureFormat): Promise<Decoded | ImageFailure> {
  const started = performance.now();
  try {
    const image = open(picture.bytes, picture.failOn);
    const metadata = await image.metadata();
    const error = unsupported(metadata);
    if (error !== undefined) return error;
    if (picture.endInDoubt) await checkLastRows(picture, metadata);
    const pixels = await toPixels(in8Bits(image, metadata), metadata, format);
    // A profile counts more than code points: the decoder has already converted the colours by it.
    if (picture.colours !== undefined && !metadata.hasProfile) convertToSrgb(pixels, picture.colours);
    return { pixels, size: metadata.autoOrient };
  } catch (error) {
    return decodeFailure(error, picture, performance.now() - started);
  }
}

function open(bytes: Uint8Array, failOn: Inspected['failOn']): Sharp {
  return sharp(bytes, { limitInputPixels: MAX_IMAGE_PIXELS, failOn, sequentialRead: true }).timeout({
    seconds: DECODE_TIMEOUT_SECONDS,
  });
}

/** The HEIF loader also takes HEIC, whose decoder is not among sharp's binaries; and 16 bits of CMYK come out wrong. */
function unsupported({ format, compression, space, depth }: Metadata): ImageFailure | undefined {
  if (format === 'heif' && compression !== 'av1') {
    return new ImageFailure('unsupported_format', `expected AVIF in a HEIF container, got ${compression}`);
  }
  if (space !== 'cmyk' || depth === 'uchar') return undefined;
  return new ImageFailure('unsupported_format', 'expected CMYK of 8 bits, got more');
}

/** As high as the blocks of a JPEG. */
const LAST_ROWS = 16;
/** Bits that no decoder takes for the rest of a picture: it sets in where the data ends. */
const FILLER = Buffer.from('55aa33cc0f'.repeat(8), 'hex');

/**
 * Makes sure that the last rows are there, which the square of the middle may leave out. Of a JPEG the loader does not
 * look back at how its last block went: when other bytes behind the data give other pixels, some of the data is missing.
 *
 * @throws when they are not
 */
async function checkLastRows({ format, bytes, failOn }: Inspected, { width, height }: Metadata): Promise<void> {
  const rows = Math.min(height, LAST_ROWS);
  const last = { left: 0, top: height - rows, width, height: rows };
  const pixels = await open(bytes, failOn).extract(last).raw().toBuffer();
  if (format !== 'jpeg') return;
  const data = bytes.subarray(0, bytes.length - JPEG_END_MARK.length);
  const filled = open(Buffer.concat([data, FILLER, JPEG_END_MARK]), 'truncated');
  if (!pixels.equals(await filled.extract(last).raw().toBuffer())) throw new Error('the last rows are not whole');
}

async function toPixels(image: Sharp, { autoOrient }: Metadata, format: PictureFormat): Promise<Uint8Array> {
  const square = toSquare(image, autoOrient, format).flatten({ background: 'white' }).toColourspace('srgb');
  const { data, info } = await square.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new TypeError(`expected 3 channels from sharp, got ${info.channels}`);
  return data;
}

/**
 * sharp takes 16 bits with a profile to Display P3 and leaves them there, and applies no profile to 16 bits of grey: so
 * the picture is reduced to 8 bits first, for which a profile is as good.
 */
function in8Bits(image: Sharp, { depth, hasProfile, space }: Metadata): Sharp {
  if (depth !== 'ushort' || !hasProfile) return image;
  return image.pipelineColourspace(space === 'grey16' ? 'b-w' : 'srgb');
}
