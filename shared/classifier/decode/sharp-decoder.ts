import sharp, { type Metadata, type Sharp } from 'sharp';
import { ImageFailure } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS, MAX_IMAGE_PIXELS } from '../../contract/limits.ts';
import { convertToSrgb } from './coded-colours.ts';
import { decodeFailure } from './decode-failure.ts';
import { JPEG_END_MARK } from './inspect/jpeg.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';
import { toSquare } from './square.ts';

// Other loaders of libvips are an attack surface: SVG, PDF, ImageMagick.
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
/** One thread per decode: the parallelism is across images. */
export const THREADS_OF_A_DECODE = 1;
sharp.cache(false);
sharp.concurrency(THREADS_OF_A_DECODE);

/**
 * Decodes a picture in this process, where a running loader cannot be interrupted. `decodePicture` applies the limits that keep
 * this short.
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
    // A profile takes precedence over code points: the decoder has already converted the colours by it.
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

/** The HEIF loader also accepts HEIC, whose decoder sharp does not include; and CMYK of 16 bits is decoded wrongly. */
function unsupported({ format, compression, space, depth }: Metadata): ImageFailure | undefined {
  if (format === 'heif' && compression !== 'av1') {
    return new ImageFailure('unsupported_format', `expected AVIF in a HEIF container, got ${compression}`);
  }
  if (space !== 'cmyk' || depth === 'uchar') return undefined;
  return new ImageFailure('unsupported_format', 'expected CMYK of 8 bits, got more');
}

/** The height of the blocks of a JPEG. */
const LAST_ROWS = 16;
/** Filler that is distinguishable from the rest of a picture, appended where the data ends. */
const FILLER = Buffer.from('55aa33cc0f'.repeat(8), 'hex');

/**
 * Checks that the last rows are complete, which the centre square may not include. The loader does not report an incomplete last
 * block of a JPEG: if different bytes after the data result in different pixels, data is missing.
 *
 * @throws when they are incomplete
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
 * sharp converts 16 bits with a profile to Display P3 and leaves them there, and applies no profile to 16-bit grey: so the picture
 * is reduced to 8 bits first, where profiles work.
 */
function in8Bits(image: Sharp, { depth, hasProfile, space }: Metadata): Sharp {
  if (depth !== 'ushort' || !hasProfile) return image;
  return image.pipelineColourspace(space === 'grey16' ? 'b-w' : 'srgb');
}
