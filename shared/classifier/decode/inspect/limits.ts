import { DECODE_TIMEOUT_SECONDS, MAX_IMAGE_PIXELS } from '../../../contract/limits.ts';

/**
 * Pictures that a decoder holds whole are decoded in this process up to so many pixels: about a second of work, and
 * four of them at once take no more memory than one of the largest kind.
 */
export const MAX_PIXELS_HELD_HERE = MAX_IMAGE_PIXELS / 4;

/** A share of the limit, so that a slower or busier machine holds the limit as well. */
export const EXPENSIVE_SECONDS = DECODE_TIMEOUT_SECONDS / 10;

/** Chunks, segments, frames or boxes of a file beyond which they are not counted. Ordinary files have some dozens. */
export const MAX_PARTS = 10_000;

/**
 * Bytes that a decoder holds of each pixel, as measured with pictures of 50 megapixels and rounded up. AVIF: planes,
 * RGB and libvips's copy. JPEG: coefficients of three components at full resolution, where there are several scans.
 */
export const BYTES_PER_PIXEL = { avif: 19, webp: 8, gif: 8, interlacedPng: 10, scannedJpeg: 8, tiff: 8, rows: 0 };

/** Of profile and EXIF, which a decoder parses: a profile seldom has more than half a megabyte. */
export const MAX_METADATA_BYTES = 1_000_000;
