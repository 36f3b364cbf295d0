import { ImageError } from '../../../contract/error-codes.ts';
import type { CodedColours, Inspected } from '../picture.ts';
import { ByteReader } from './byte-reader.ts';
import { findings } from './findings.ts';
import { BYTES_PER_PIXEL, MAX_PARTS } from './limits.ts';

const SIGNATURE_BYTES = 8;
/** Length and type before the data, CRC after it. */
const CHUNK_OVERHEAD = 12;
/** What pixels depend on. Texts, which inflate to a thousand times their size, are not among it. */
const NEEDED = new Set([
  'IHDR',
  'PLTE',
  'tRNS',
  'gAMA',
  'cHRM',
  'sRGB',
  'iCCP',
  'cICP',
  'sBIT',
  'eXIf',
  'IDAT',
  'IEND',
]);
/** Beyond so many bytes of other chunks the decoder gets a copy without them. */
const MAX_OTHER_BYTES = 65_536;
/** As much as a JPEG can have of EXIF; a profile seldom has more than half a megabyte. */
const MAX_METADATA_BYTES = 1_000_000;

type Chunk = { type: string; from: number; end: number };

/** Reads the chunks of a PNG, whose other chunks may cost more than its pixels. */
export function inspectPng(bytes: Buffer): Inspected | ImageError {
  const reader = new ByteReader(bytes, false);
  const size = { width: reader.uint(16, 4), height: reader.uint(20, 4) };
  const isInterlaced = reader.uint(28, 1) !== 0;
  const chunks = readChunks(reader);
  const last = chunks.at(-1);
  if (last === undefined || !chunks.some(({ type }) => type === 'IDAT')) return cut('before');
  if (last.end > bytes.length && last.type === 'IDAT') return cut('within');
  const picture = findings(
    'png',
    size,
    withoutOthers(bytes, chunks),
    isInterlaced ? BYTES_PER_PIXEL.interlacedPng : BYTES_PER_PIXEL.rows,
  );
  const colours = codedColours(reader, chunks);
  return {
    ...picture,
    expensive: picture.expensive || chunks.length >= MAX_PARTS || bytesOf(chunks, isMetadata) > MAX_METADATA_BYTES,
    // What follows the pixels shows that they are complete, whether it is whole or not.
    endInDoubt: last.type === 'IDAT' && chunks.length < MAX_PARTS,
    ...(colours !== undefined && { colours }),
  };
}

function cut(where: 'before' | 'within'): ImageError {
  return new ImageError('corrupt', `expected a whole PNG, got one that ends ${where} its pixels`);
}

/** Up to the end mark or the end of the file; the last one may reach beyond it. At most `MAX_PARTS` are read. */
function readChunks(reader: ByteReader): Chunk[] {
  const chunks: Chunk[] = [];
  let at = SIGNATURE_BYTES;
  while (at + 8 <= reader.bytes.length && chunks.length < MAX_PARTS) {
    const chunk = { type: reader.text(at + 4, 4), from: at, end: at + CHUNK_OVERHEAD + reader.uint(at, 4) };
    chunks.push(chunk);
    if (chunk.type === 'IEND') break;
    at = chunk.end;
  }
  return chunks;
}

const isOther = ({ type }: Chunk) => !NEEDED.has(type);
const isMetadata = ({ type }: Chunk) => type === 'eXIf' || type === 'iCCP';

function bytesOf(chunks: readonly Chunk[], wanted: (chunk: Chunk) => boolean): number {
  return chunks.filter(wanted).reduce((sum, { from, end }) => sum + end - from, 0);
}

function withoutOthers(bytes: Buffer, chunks: readonly Chunk[]): Buffer {
  if (chunks.length >= MAX_PARTS || bytesOf(chunks, isOther) <= MAX_OTHER_BYTES) return bytes;
  const kept = chunks.filter((chunk) => !isOther(chunk)).map(({ from, end }) => bytes.subarray(from, end));
  return Buffer.concat([bytes.subarray(0, SIGNATURE_BYTES), ...kept]);
}

/** cICP counts more than a profile and is not known to the decoder. */
function codedColours(reader: ByteReader, chunks: readonly Chunk[]): CodedColours | undefined {
  const chunk = chunks.find(({ type }) => type === 'cICP');
  if (chunk === undefined || chunk.end > reader.bytes.length) return undefined;
  return { primaries: reader.uint(chunk.from + 8, 1), transfer: reader.uint(chunk.from + 9, 1) };
}
