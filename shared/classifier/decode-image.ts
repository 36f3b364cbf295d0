import { createHash } from 'node:crypto';
import { Semaphore } from 'async-mutex';
import { fileTypeFromBuffer } from 'file-type';
import sharp, { type Metadata, type ResizeOptions, type Sharp } from 'sharp';
import { ImageError } from '../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS, MAX_IMAGE_PIXELS } from '../contract/limits.ts';
import type { ImageFacts } from '../contract/result-line.ts';

/** How a model wants its pictures; see `classifier.json`. */
export type PictureFormat = {
  /** Side of the model's square input, in pixels. */
  inputSize: number;
  /** Share of the shorter side that the centre square keeps, above 0 and up to 1. */
  crop: number;
  interpolation: 'nearest' | 'linear' | 'cubic' | 'lanczos3';
};

export type DecodedImage = {
  /** RGB, 8 bit, row by row: inputSize x inputSize x 3 bytes. */
  pixels: Uint8Array;
  facts: ImageFacts;
};

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
 * A file of a kilobyte can take a gigabyte to decode: AVIF and interlaced images are held whole. So
 * one image of the largest kind is decoded at once, or a few small ones. In megapixels, since the
 * semaphore counts down all of its weights whenever one is given back.
 */
const MEGAPIXEL = 1_000_000;
/** Small ones too are decoded no more than so many at once: more only push each other out of the caches. */
const DECODES_AT_ONCE = 4;
const decoding = new Semaphore(MAX_IMAGE_PIXELS / MEGAPIXEL);

/**
 * Decodes an image of whatever supported format into the pixels that the model takes: upright by
 * its EXIF orientation, transparency on white, the first frame of an animation, the centre square.
 */
export async function decodeImage(bytes: Buffer, format: PictureFormat): Promise<DecodedImage | ImageError> {
  return decodeWith(bytes, async (image, metadata) => ({
    pixels: await toPixels(image, metadata.autoOrient, format),
    facts: factsOf(bytes, metadata),
  }));
}

/** Side of a thumbnail's square on a screen with two pixels a point, and its quality: about 6 kB each. */
const THUMBNAIL = { side: 240, quality: 70 };

/** A small square WebP of an image, for pages: upright, the middle of it. */
export async function makeThumbnail(bytes: Buffer): Promise<Buffer | ImageError> {
  const { side, quality } = THUMBNAIL;
  return decodeWith(bytes, (image) =>
    image
      .autoOrient()
      .resize(side, side, { fit: 'cover' })
      .flatten({ background: 'white' })
      .webp({ quality })
      .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
      .toBuffer(),
  );
}

/** Opens an image within the limits, and has it decoded when its turn comes. */
async function decodeWith<Decoded>(
  bytes: Buffer,
  decode: (image: Sharp, metadata: Metadata) => Promise<Decoded>,
): Promise<Decoded | ImageError> {
  if (bytes.length === 0) return new ImageError('empty', 'expected an image, got a body of zero bytes');
  try {
    const image = sharp(bytes, { limitInputPixels: MAX_IMAGE_PIXELS, failOn: 'truncated', sequentialRead: true });
    const metadata = await image.metadata();
    const error = unsupported(metadata);
    if (error !== undefined) return error;
    return await decoding.runExclusive(() => decode(image, metadata), megapixelsOf(metadata));
  } catch (error) {
    return decodeFailure(error, bytes);
  }
}

/** What an image takes of the semaphore. */
function megapixelsOf({ width, height }: Size): number {
  const most = MAX_IMAGE_PIXELS / MEGAPIXEL;
  return Math.max(Math.ceil(most / DECODES_AT_ONCE), Math.min(most, Math.ceil((width * height) / MEGAPIXEL)));
}

/** The HEIF loader also takes HEIC, whose decoder is not among sharp's binaries. */
function unsupported({ format, compression }: Metadata): ImageError | undefined {
  if (format !== 'heif' || compression === 'av1') return undefined;
  return new ImageError('unsupported_format', `expected AVIF in a HEIF container, got ${compression}`);
}

async function toPixels(
  image: Sharp,
  upright: Size,
  { inputSize, crop, interpolation }: PictureFormat,
): Promise<Uint8Array> {
  const resize = { fit: 'fill', kernel: interpolation } as const;
  const square =
    Math.min(upright.width, upright.height) * crop >= SHRINKABLE * inputSize
      ? resizeThenCrop(image, upright, inputSize, crop, resize)
      : cropThenResize(image, upright, inputSize, crop, resize);
  const { data, info } = await square
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`expected 3 channels from sharp, got ${info.channels}`);
  return data;
}

type Size = { width: number; height: number };

/** From twice the size on, the JPEG and WebP loaders can shrink while they load. */
const SHRINKABLE = 2;

/**
 * For images too small to gain from shrinking: the crop falls on whole pixels of the original, which
 * keeps the scores nearest to those of the reference preprocessing.
 */
function cropThenResize(
  image: Sharp,
  { width, height }: Size,
  inputSize: number,
  crop: number,
  resize: ResizeOptions,
): Sharp {
  // A window of less than a pixel may round to none.
  const side = Math.max(1, Math.min(width, height) * crop);
  const [left, right] = centred(width, side);
  const [top, bottom] = centred(height, side);
  return image
    .autoOrient()
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(inputSize, inputSize, resize);
}

/** Where a window of `side` in the middle of `length` starts and ends, in whole pixels. */
function centred(length: number, side: number): [start: number, end: number] {
  return [Math.round((length - side) / 2), Math.round((length + side) / 2)];
}

/**
 * For large images. sharp lets the loader shrink only when neither a crop nor a rotation comes before
 * the resize; libvips evaluates on demand, so what is cropped afterwards was never computed. Margins
 * of the same width on both sides keep the window in the middle, whatever the orientation is.
 */
function resizeThenCrop(
  image: Sharp,
  { width, height }: Size,
  inputSize: number,
  crop: number,
  resize: ResizeOptions,
): Sharp {
  const scale = inputSize / crop / Math.min(width, height);
  const left = Math.round((width * scale - inputSize) / 2);
  const top = Math.round((height * scale - inputSize) / 2);
  return image
    .resize(inputSize + 2 * left, inputSize + 2 * top, resize)
    .extract({ left, top, width: inputSize, height: inputSize })
    .autoOrient();
}

function factsOf(bytes: Buffer, { autoOrient: { width, height }, format }: Metadata): ImageFacts {
  return {
    width,
    height,
    format: format === 'heif' ? 'avif' : format,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/**
 * Converts sharp's error. sharp gives its errors no codes, so their texts are all there is.
 *
 * @throws what does not come from decoding
 */
async function decodeFailure(error: unknown, bytes: Buffer): Promise<ImageError> {
  if (!(error instanceof Error)) throw error;
  const text = error.message.replaceAll(/\s+/g, ' ').slice(0, 200);
  if (/exceeds pixel limit/i.test(text)) {
    return new ImageError('too_many_pixels', `expected at most ${MAX_IMAGE_PIXELS / 1e6} megapixels, got more`);
  }
  if (/timeout/i.test(text)) {
    return new ImageError('decode_timeout', `expected to decode within ${DECODE_TIMEOUT_SECONDS} s`);
  }
  if (!/unsupported image format|blocked/i.test(text)) return new ImageError('corrupt', text);
  return notDecodable(bytes);
}

async function notDecodable(bytes: Buffer): Promise<ImageError> {
  const expected = 'expected JPEG, PNG, WebP, GIF, AVIF or TIFF';
  if (/<svg[\s>]/i.test(bytes.subarray(0, 1_024).toString('latin1'))) {
    return new ImageError('unsupported_format', `${expected}, got SVG`);
  }
  const found = await fileTypeFromBuffer(bytes);
  if (found === undefined) return new ImageError('not_an_image', `${expected}, got bytes of no known format`);
  const code = found.mime.startsWith('image/') ? 'unsupported_format' : 'not_an_image';
  return new ImageError(SUPPORTED.has(found.mime) ? 'corrupt' : code, `${expected}, got ${found.mime}`);
}

const SUPPORTED = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/tiff']);
