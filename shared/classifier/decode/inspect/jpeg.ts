import { ImageFailure } from '../../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS } from '../../../contract/limits.ts';
import type { Inspected } from '../picture.ts';
import { findings } from './findings.ts';
import { isComplete, type JpegWalk, walkJpeg } from './jpeg-walk.ts';
import { BYTES_PER_PIXEL, EXPENSIVE_SECONDS, MAX_PARTS, MAX_PIXELS_HELD_HERE } from './limits.ts';

/** The end marker of a JPEG. */
export const JPEG_END_MARK = Buffer.from([0xff, 0xd9]);

/** Samples per second of a decoder for an empty scan, the cheapest possible. */
const EMPTY_SAMPLES_PER_SECOND = 3e9;
/** Tolerance: even a machine twice as fast as the measured one would exceed the timeout. */
const HOPELESS_SECONDS = 2 * DECODE_TIMEOUT_SECONDS;
/** Arithmetic coding takes several times as long as Huffman coding. */
const MAX_ARITHMETIC_PIXELS = MAX_PIXELS_HELD_HERE / 4;

/** A progressive JPEG may have as many scans as its bytes allow, each of which processes all pixels. */
export function inspectJpeg(bytes: Buffer): Inspected | ImageFailure {
  const walk = walkJpeg(bytes);
  const { frame, scans, samples, segments } = walk;
  if (frame === undefined) return new ImageFailure('corrupt', 'expected a JPEG with a frame header, got none');
  const seconds = samples / EMPTY_SAMPLES_PER_SECOND;
  if (seconds > HOPELESS_SECONDS) return hopeless(walk);
  const severalScans = scans > 1 || frame.isProgressive;
  const { width, height } = frame;
  const picture = findings(
    'jpeg',
    { width, height },
    bytes,
    severalScans ? BYTES_PER_PIXEL.scannedJpeg : BYTES_PER_PIXEL.rows,
  );
  picture.expensive ||=
    seconds > EXPENSIVE_SECONDS ||
    segments > MAX_PARTS ||
    (frame.isArithmetic && width * height > MAX_ARITHMETIC_PIXELS);
  // Scan data cannot contain the end marker, which is at the end of most files.
  if (bytes.lastIndexOf(JPEG_END_MARK) >= walk.lastScanAt) return picture;
  if (!isComplete(frame)) return new ImageFailure('corrupt', 'expected a whole JPEG, got one without its last scans');
  return withEndMark(picture);
}

function hopeless({ scans, frame }: JpegWalk): ImageFailure {
  const megapixels = Math.ceil(((frame?.width ?? 0) * (frame?.height ?? 0)) / 1e6);
  return new ImageFailure(
    'decode_timeout',
    `expected to decode within ${DECODE_TIMEOUT_SECONDS} s, got a JPEG of ${scans} scans over ${megapixels} megapixels`,
  );
}

/** The decoder then reports only where the last scan is incomplete. */
function withEndMark(picture: Inspected): Inspected {
  const { bytes } = picture;
  const data = bytes.at(-1) === JPEG_END_MARK[0] ? bytes.subarray(0, -1) : bytes;
  return { ...picture, bytes: Buffer.concat([data, JPEG_END_MARK]), failOn: 'warning', endInDoubt: true };
}
