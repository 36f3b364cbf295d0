import { ImageFailure } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS } from '../../contract/limits.ts';
import { FORMAT_NAMES } from './inspect/findings.ts';
import { tooManyPixels } from './inspect/inspect.ts';
import type { Inspected } from './picture.ts';

/**
 * Converts an error of sharp. libvips collects the messages of all threads in one buffer, so a message may belong to another
 * picture, or be missing: nothing depends on it. Errors of sharp itself have reliable messages.
 *
 * @param milliseconds the duration of the decode
 * @throws errors that do not come from decoding
 */
export function decodeFailure(error: unknown, picture: Inspected, milliseconds: number): ImageFailure {
  // sharp itself throws plain errors; a type error is a bug.
  if (!(error instanceof Error) || error instanceof TypeError) throw error;
  if (error.message === 'Input image exceeds pixel limit') return tooManyPixels();
  const name = FORMAT_NAMES[picture.format];
  if (error.message === 'Input image exceeds channel limit') {
    return new ImageFailure('unsupported_format', `expected ${name} of at most 5 channels, got more`);
  }
  if (milliseconds >= DECODE_TIMEOUT_SECONDS * 1_000) return decodeTimeout();
  if (picture.endInDoubt)
    return new ImageFailure('corrupt', `expected a whole ${name}, got one that ends within its pixels`);
  return new ImageFailure('corrupt', `expected ${name} data that can be decoded, got damaged data`);
}

/** The failure of a decode that exceeded its time. */
export function decodeTimeout(seconds: number = DECODE_TIMEOUT_SECONDS): ImageFailure {
  return new ImageFailure('decode_timeout', `expected to decode within ${seconds} s`);
}
