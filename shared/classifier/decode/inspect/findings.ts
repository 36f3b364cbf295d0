import { MAX_IMAGE_PIXELS } from '../../../contract/limits.ts';
import type { FileFormat, Inspected, Size } from '../picture.ts';
import { MAX_PIXELS_HELD_HERE } from './limits.ts';

/** The names of formats for messages. */
export const FORMAT_NAMES: Record<FileFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  avif: 'AVIF',
  tiff: 'TIFF',
};

/**
 * The findings for ordinary pictures: decoded in this process unless they are large and held in memory as a whole.
 *
 * @param bytesPerPixel memory of the decoder per pixel; 0 when it works row by row
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
