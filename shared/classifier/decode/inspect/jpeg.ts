import { ImageFailure } from '../../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS } from '../../../contract/limits.ts';
import type { Inspected } from '../picture.ts';
import { findings } from './findings.ts';
import { isComplete, type JpegWalk, walkJpeg } from './jpeg-walk.ts';
import { BYTES_PER_PIXEL, EXPENSIVE_SECONDS, MAX_PARTS, MAX_PIXELS_HELD_HERE } from './limits.ts';

/** What a JPEG ends with. */
export const JPEG_END_MARK = Buffer.from([0xff, 0xd9]);

/** A decoder passes over so many samples a second of a scan in which nothing stands, the cheapest there is. */
const EMPTY_SAMPLES_PER_SECOND = 3e9;
/** A machine twice as fast as the one that this was measured with would not keep the limit either. */
const HOPELESS_SECONDS = 2 * DECODE_TIMEOUT_SECONDS;
/** Arithmetic coding takes some times as long as Huffman's. */
const MAX_ARITHMETIC_PIXELS = MAX_PIXELS_HELD_HERE / 4;

/** A progressive JPEG may have as many scans as its bytes allow, and a decoder goes through all pixels for each. */
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
  // The data of a scan cannot hold it, and in most files it is the last of all.
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

/** The decoder then complains where the last scan breaks off, and only there. */
function withEndMark(picture: Inspected): Inspected {
  const { bytes } = picture;
  const data = bytes.at(-1) === JPEG_END_MARK[0] ? bytes.subarray(0, -1) : bytes;
  return { ...picture, bytes: Buffer.concat([data, JPEG_END_MARK]), failOn: 'warning', endInDoubt: true };
}
