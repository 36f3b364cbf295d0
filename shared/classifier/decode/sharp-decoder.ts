import sharp, { type Metadata, type Sharp } from 'sharp';
import { ImageError } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS, MAX_IMAGE_PIXELS } from '../../contract/limits.ts';
import { convertToSrgb } from './coded-colours.ts';
import { decodeFailure } from './decode-failure.ts';
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
// Each image is decoded once, by one thread: images are what runs in parallel.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes a picture in this process, which nothing can break off in the middle of a loader's work. Only for the bounds
 * that keep that short: `decodePicture`.
 */
export async function decodeWithSharp(picture: Inspected, format: PictureFormat): Promise<Decoded | ImageError> {
  const started = performance.now();
  try {
    const image = open(picture.bytes, picture.failOn);
    const metadata = await image.metadata();
    if (metadata.format === 'heif' && metadata.compression !== 'av1') return notAvif(metadata);
    if (picture.endInDoubt) await decodeAllRows(picture);
    const pixels = await toPixels(image, metadata, format);
    // A profile counts more than code points: the decoder has already converted the colours by it.
    if (picture.colours !== undefined && !metadata.hasProfile) convertToSrgb(pixels, picture.colours);
    return { pixels, size: metadata.autoOrient };
  } catch (error) {
    return decodeFailure(error, picture.format, performance.now() - started);
  }
}

function open(bytes: Uint8Array, failOn: Inspected['failOn']): Sharp {
  return sharp(bytes, { limitInputPixels: MAX_IMAGE_PIXELS, failOn, sequentialRead: true }).timeout({
    seconds: DECODE_TIMEOUT_SECONDS,
  });
}

/** The HEIF loader also takes HEIC, whose decoder is not among sharp's binaries. */
function notAvif({ compression }: Metadata): ImageError {
  return new ImageError('unsupported_format', `expected AVIF in a HEIF container, got ${compression}`);
}

/** A square of the middle leaves rows out; the loader complains where rows are missing. */
async function decodeAllRows({ bytes, failOn }: Inspected): Promise<void> {
  await open(bytes, failOn).resize(1, 1, { fit: 'fill' }).raw().toBuffer();
}

async function toPixels(image: Sharp, metadata: Metadata, format: PictureFormat): Promise<Uint8Array> {
  if (metadata.depth !== 'ushort' || !metadata.hasProfile) return rgbBytes(image, metadata, format);
  return metadata.space === 'rgb16'
    ? rgbOf16Bits(image, metadata, format)
    : rgbBytes(await in8Bits(image), metadata, format);
}

async function rgbBytes(image: Sharp, { autoOrient }: Metadata, format: PictureFormat): Promise<Uint8Array> {
  const square = toSquare(image, autoOrient, format).flatten({ background: 'white' }).toColourspace('srgb');
  const { data, info } = await square.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new TypeError(`expected 3 channels from sharp, got ${info.channels}`);
  return data;
}

/** sharp converts 16 bits with a profile to Display P3, and to another profile only where it is asked for one. */
async function rgbOf16Bits(image: Sharp, { autoOrient }: Metadata, format: PictureFormat): Promise<Uint8Array> {
  const square = toSquare(image, autoOrient, format).flatten({ background: 'white' });
  const data = await square.toColourspace('rgb16').withIccProfile('srgb').raw({ depth: 'ushort' }).toBuffer();
  const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return Uint8Array.from(values, (value) => Math.round(value / 257));
}

/** sharp applies no profile to 16 bits of grey. A profile is as good for the same picture in 8 bits. */
async function in8Bits(image: Sharp): Promise<Sharp> {
  const grey = image.clone().autoOrient().keepIccProfile().toColourspace('b-w').png({ compressionLevel: 0 });
  return open(await grey.toBuffer(), 'truncated');
}
