import { DECODE_TIMEOUT_SECONDS, MAX_IMAGE_PIXELS } from '../../../contract/limits.ts';

/**
 * Pictures that a decoder holds as a whole are decoded in this process up to this many pixels: about a second of work, and four
 * of them together use no more memory than one of the largest kind.
 */
export const MAX_PIXELS_HELD_HERE = MAX_IMAGE_PIXELS / 4;

/** A share of the timeout, so that a slower or busier machine meets it too. */
export const EXPENSIVE_SECONDS = DECODE_TIMEOUT_SECONDS / 10;

/** Maximum number of chunks, segments, frames or boxes that are counted per file. Ordinary files have dozens. */
export const MAX_PARTS = 10_000;

/**
 * Memory of decoders in bytes per pixel, measured with pictures of 50 megapixels and rounded up. AVIF: planes,
 * RGB and libvips's copy. JPEG: coefficients of three components at full resolution, where there are several scans.
 */
export const BYTES_PER_PIXEL = { avif: 19, webp: 8, gif: 8, interlacedPng: 10, scannedJpeg: 8, tiff: 8, rows: 0 };

/** Bytes of profile and EXIF, which a decoder parses: profiles seldom exceed half a megabyte. */
export const MAX_METADATA_BYTES = 1_000_000;
