import { ImageFailure } from '../../../contract/error-codes.ts';
import type { Inspected, Size } from '../picture.ts';
import { ByteReader } from './byte-reader.ts';
import { findings } from './findings.ts';
import { BYTES_PER_PIXEL, MAX_METADATA_BYTES, MAX_PARTS } from './limits.ts';

const RIFF_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FRAME = 'ANMF';

type Chunk = { type: string; from: number; end: number };

/** Reads the chunks of a WebP: the data must be as long as its RIFF header states; of an animation, the first frame is used. */
export function inspectWebp(bytes: Buffer): Inspected | ImageFailure {
  const reader = new ByteReader(bytes, true);
  const size = sizeOf(reader);
  if (size === undefined) {
    return new ImageFailure('corrupt', 'expected a WebP that begins with its picture, got another chunk');
  }
  const end = reader.uint(4, 4) + CHUNK_HEADER_BYTES;
  const chunks = readChunks(reader, Math.min(end, bytes.length));
  const frame = chunks.find(({ type }) => type === FRAME);
  if (end > bytes.length && frame === undefined) {
    return new ImageFailure('corrupt', 'expected a whole WebP, got one that ends within its pixels');
  }
  const picture = findings('webp', size, frame ? firstFrame(bytes, chunks, frame) : bytes, BYTES_PER_PIXEL.webp);
  picture.expensive ||= chunks.length >= MAX_PARTS || metadataBytes(chunks) > MAX_METADATA_BYTES;
  return picture;
}

/** The location differs for lossy, lossless and extended files. */
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

/** The complete chunks, at most `MAX_PARTS`. */
function readChunks(reader: ByteReader, fileEnd: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = RIFF_BYTES; at + CHUNK_HEADER_BYTES <= fileEnd && chunks.length < MAX_PARTS; ) {
    const length = reader.uint(at + 4, 4);
    const end = at + CHUNK_HEADER_BYTES + length + (length % 2);
    if (end > fileEnd) break;
    chunks.push({ type: reader.text(at, 4), from: at, end });
    at = end;
  }
  return chunks;
}

function metadataBytes(chunks: readonly Chunk[]): number {
  const metadata = chunks.filter(({ type }) => type === 'EXIF' || type === 'ICCP');
  return metadata.reduce((sum, { from, end }) => sum + end - from, 0);
}

/** The decoder takes quadratic time for animations, so it gets a single frame. */
function firstFrame(bytes: Buffer, chunks: readonly Chunk[], frame: Chunk): Buffer {
  const kept = chunks.filter((chunk) => chunk.type !== FRAME || chunk === frame);
  const file = Buffer.concat([
    bytes.subarray(0, RIFF_BYTES),
    ...kept.map(({ from, end }) => bytes.subarray(from, end)),
  ]);
  file.writeUInt32LE(file.length - CHUNK_HEADER_BYTES, 4);
  return file;
}
