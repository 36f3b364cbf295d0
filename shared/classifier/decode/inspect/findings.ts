import { MAX_IMAGE_PIXELS } from '../../../contract/limits.ts';
import type { FileFormat, Inspected, Size } from '../picture.ts';
import { MAX_PIXELS_HELD_HERE } from './limits.ts';

/** A format as people write it. */
export const FORMAT_NAMES: Record<FileFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  avif: 'AVIF',
  tiff: 'TIFF',
};

/**
 * What most pictures of a format are: to be decoded in this process unless they are large and held whole.
 *
 * @param bytesPerPixel that the decoder holds at once; 0 when it goes row by row
 */
export function findings(format: FileFormat, size: Size, bytes: Uint8Array, bytesPerPixel: number): Inspected {
  const pixels = size.width * size.height;
  return {
    format,
    bytes,
    size,
    megabytes: (Math.min(pixels, MAX_IMAGE_PIXELS) * bytesPerPixel) / 1e6,
    expensive: bytesPerPixel > 0 && pixels > MAX_PIXELS_HELD_HERE,
    failOn: 'truncated',
    endInDoubt: false,
  };
}
