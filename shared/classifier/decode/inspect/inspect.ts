import { fileTypeFromBuffer } from 'file-type';
import { ImageFailure } from '../../../contract/error-codes.ts';
import { MAX_IMAGE_PIXELS } from '../../../contract/limits.ts';
import { coloursRefusal } from '../coded-colours.ts';
import type { FileFormat, Inspected } from '../picture.ts';
import { heifKind, inspectAvif } from './avif.ts';
import { FileEnds } from './byte-reader.ts';
import { FORMAT_NAMES } from './findings.ts';
import { inspectGif } from './gif.ts';
import { inspectJpeg } from './jpeg.ts';
import { inspectPng } from './png.ts';
import { inspectTiff } from './tiff.ts';
import { inspectWebp } from './webp.ts';

const INSPECTORS: Record<FileFormat, (bytes: Buffer) => Inspected | ImageFailure> = {
  jpeg: inspectJpeg,
  png: inspectPng,
  webp: inspectWebp,
  gif: inspectGif,
  avif: inspectAvif,
  tiff: inspectTiff,
};

/**
 * Inspects a file before it is decoded: its format, whether it is complete, and what decoding will cost. Takes microseconds for
 * ordinary files, and some milliseconds for the largest.
 */
export async function inspect(bytes: Buffer): Promise<Inspected | ImageFailure> {
  if (bytes.length === 0) return new ImageFailure('empty', 'expected an image, got a body of zero bytes');
  const format = formatOf(bytes);
  if (format === undefined) return notDecodable(bytes);
  const inspected = inspectAs(format, bytes);
  if (inspected instanceof ImageFailure) return inspected;
  const { size, colours } = inspected;
  if (size.width * size.height > MAX_IMAGE_PIXELS) return tooManyPixels();
  return (colours && coloursRefusal(colours)) ?? inspected;
}

function inspectAs(format: FileFormat, bytes: Buffer): Inspected | ImageFailure {
  try {
    return INSPECTORS[format](bytes);
  } catch (error) {
    if (!(error instanceof FileEnds)) throw error;
    return new ImageFailure('corrupt', `expected a whole ${FORMAT_NAMES[format]}, got one that ends too early`);
  }
}

/** The failure of a picture that exceeds `MAX_IMAGE_PIXELS`. */
export function tooManyPixels(): ImageFailure {
  return new ImageFailure('too_many_pixels', `expected at most ${MAX_IMAGE_PIXELS / 1e6} megapixels, got more`);
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Classic and BigTIFF, in both byte orders. */
const TIFF_SIGNATURES = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'];

function formatOf(bytes: Buffer): FileFormat | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (PNG_SIGNATURE.equals(bytes.subarray(0, PNG_SIGNATURE.length))) return 'png';
  const start = bytes.toString('latin1', 0, 12);
  if (/^GIF8[79]a/.test(start)) return 'gif';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'webp';
  if (TIFF_SIGNATURES.includes(start.slice(0, 4))) return 'tiff';
  return heifKind(bytes) === 'avif' ? 'avif' : undefined;
}

async function notDecodable(bytes: Buffer): Promise<ImageFailure> {
  const expected = 'expected JPEG, PNG, WebP, GIF, AVIF or TIFF';
  if (/<svg[\s>]/i.test(bytes.toString('latin1', 0, 1_024))) {
    return new ImageFailure('unsupported_format', `${expected}, got SVG`);
  }
  const found = await fileTypeFromBuffer(bytes);
  if (found === undefined) return new ImageFailure('not_an_image', `${expected}, got bytes of no known format`);
  const code = found.mime.startsWith('image/') ? 'unsupported_format' : 'not_an_image';
  return new ImageFailure(code, `${expected}, got ${found.mime}`);
}
