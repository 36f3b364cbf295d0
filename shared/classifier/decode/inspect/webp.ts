import { ImageError } from '../../../contract/error-codes.ts';
import type { Inspected, Size } from '../picture.ts';
import { ByteReader } from './byte-reader.ts';
import { findings } from './findings.ts';
import { BYTES_PER_PIXEL, MAX_PARTS } from './limits.ts';

const RIFF_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** The decoder goes through all frames for each frame. */
const MAX_FRAMES = 2_000;
/** As a PNG may have of profile and EXIF. */
const MAX_METADATA_BYTES = 1_000_000;

/** What the chunks of a WebP add up to. */
type Totals = { chunks: number; frames: number; metadataBytes: number };

/** Reads the chunks of a WebP; what its RIFF header promises must be there. */
export function inspectWebp(bytes: Buffer): Inspected | ImageError {
  const reader = new ByteReader(bytes, true);
  const end = reader.uint(4, 4) + CHUNK_HEADER_BYTES;
  if (end > bytes.length)
    return new ImageError('corrupt', 'expected a whole WebP, got one that ends within its chunks');
  const size = sizeOf(reader);
  if (size === undefined)
    return new ImageError('corrupt', 'expected a WebP that begins with its picture, got another chunk');
  const { chunks, frames, metadataBytes } = countChunks(reader, end);
  const picture = findings('webp', size, bytes, BYTES_PER_PIXEL.webp);
  picture.expensive ||= chunks >= MAX_PARTS || frames > MAX_FRAMES || metadataBytes > MAX_METADATA_BYTES;
  return picture;
}

/** A lossy, a lossless or an extended file has it in another place. */
function sizeOf(reader: ByteReader): Size | undefined {
  const at = RIFF_BYTES + CHUNK_HEADER_BYTES;
  switch (reader.text(RIFF_BYTES, 4)) {
    case 'VP8 ':
      return { width: reader.uint(at + 6, 2) & 0x3fff, height: reader.uint(at + 8, 2) & 0x3fff };
    case 'VP8L': {
      const bits = reader.uint(at + 1, 4);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: uint24(reader, at + 4) + 1, height: uint24(reader, at + 7) + 1 };
    default:
      return undefined;
  }
}

function uint24(reader: ByteReader, at: number): number {
  return reader.uint(at, 2) + 65_536 * reader.uint(at + 2, 1);
}

function countChunks(reader: ByteReader, end: number): Totals {
  const totals = { chunks: 0, frames: 0, metadataBytes: 0 };
  for (let at = RIFF_BYTES; at + CHUNK_HEADER_BYTES <= end && totals.chunks < MAX_PARTS; totals.chunks++) {
    const type = reader.text(at, 4);
    const length = reader.uint(at + 4, 4);
    if (type === 'ANMF') totals.frames++;
    if (type === 'EXIF' || type === 'ICCP') totals.metadataBytes += length;
    at += CHUNK_HEADER_BYTES + length + (length % 2);
  }
  return totals;
}
