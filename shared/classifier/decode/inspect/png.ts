import { ImageFailure } from '../../../contract/error-codes.ts';
import type { CodedColours, Inspected } from '../picture.ts';
import { ByteReader } from './byte-reader.ts';
import { findings } from './findings.ts';
import { BYTES_PER_PIXEL, MAX_METADATA_BYTES, MAX_PARTS } from './limits.ts';

const SIGNATURE_BYTES = 8;
const HEADER_BYTES = 8;
const CRC_BYTES = 4;
const typeOf = (name: string) => Buffer.from(name).readUInt32BE();
const IDAT = typeOf('IDAT');
const IEND = typeOf('IEND');
const CICP = typeOf('cICP');
const METADATA = ['iCCP', 'eXIf'].map(typeOf);
/** Chunks that pixels depend on; without texts, which may inflate to a thousand times their size. */
const NEEDED = new Set([
  ...['IHDR', 'PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'sBIT'].map(typeOf),
  ...[IDAT, IEND, CICP, ...METADATA],
]);
/** With more bytes of other chunks than this, the decoder gets a copy without them. */
const MAX_OTHER_BYTES = 65_536;

/** The findings from the chunks of a PNG. */
type PngChunks = {
  /** Ranges of required chunks; consecutive chunks are one range. */
  ranges: { from: number; end: number }[];
  count: number;
  otherBytes: number;
  metadataBytes: number;
  hasPixels: boolean;
  colours: CodedColours | undefined;
  /** May be beyond the end of the file. */
  last: { type: number; end: number };
};

/** Reads the chunks of a PNG: other chunks may cost more than the pixels. */
export function inspectPng(bytes: Buffer): Inspected | ImageFailure {
  const reader = new ByteReader(bytes, false);
  const size = { width: reader.uint(16, 4), height: reader.uint(20, 4) };
  const isInterlaced = reader.uint(28, 1) !== 0;
  const chunks = readChunks(reader);
  const { last, hasPixels, colours } = chunks;
  if (!hasPixels) return cut('before');
  if (last.type === IDAT && last.end > bytes.length) return cut('within');
  const bytesPerPixel = isInterlaced ? BYTES_PER_PIXEL.interlacedPng : BYTES_PER_PIXEL.rows;
  const picture = findings('png', size, withoutOthers(bytes, chunks), bytesPerPixel);
  picture.expensive ||= chunks.count > MAX_PARTS || chunks.metadataBytes > MAX_METADATA_BYTES;
  // Anything after the pixels, even if incomplete, shows that they are complete.
  picture.endInDoubt = last.type === IDAT;
  return { ...picture, ...(colours !== undefined && { colours }) };
}

function cut(where: 'before' | 'within'): ImageFailure {
  return new ImageFailure('corrupt', `expected a whole PNG, got one that ends ${where} its pixels`);
}

/** Reads up to the end mark or the end of the file. */
function readChunks(reader: ByteReader): PngChunks {
  const chunks: PngChunks = {
    ranges: [],
    count: 0,
    otherBytes: 0,
    metadataBytes: 0,
    hasPixels: false,
    colours: undefined,
    last: { type: 0, end: SIGNATURE_BYTES },
  };
  while (chunks.last.type !== IEND && chunks.last.end + HEADER_BYTES <= reader.bytes.length) {
    addChunk(reader, chunks.last.end, chunks);
  }
  return chunks;
}

function addChunk(reader: ByteReader, from: number, chunks: PngChunks): void {
  const type = reader.uint(from + 4, 4);
  const end = from + HEADER_BYTES + reader.uint(from, 4) + CRC_BYTES;
  chunks.last = { type, end };
  if (!NEEDED.has(type)) {
    chunks.otherBytes += end - from;
    return;
  }
  chunks.count++;
  if (type === IDAT) chunks.hasPixels = true;
  if (METADATA.includes(type)) chunks.metadataBytes += end - from;
  // Primaries and transfer function are its first two bytes.
  if (type === CICP) chunks.colours ??= { primaries: reader.uint(from + 8, 1), transfer: reader.uint(from + 9, 1) };
  const before = chunks.ranges.at(-1);
  if (before?.end === from) before.end = end;
  else chunks.ranges.push({ from, end });
}

function withoutOthers(bytes: Buffer, { ranges, otherBytes }: PngChunks): Buffer {
  if (otherBytes <= MAX_OTHER_BYTES) return bytes;
  const needed = ranges.map(({ from, end }) => bytes.subarray(from, end));
  return Buffer.concat([bytes.subarray(0, SIGNATURE_BYTES), ...needed]);
}
