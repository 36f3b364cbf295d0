import { ImageFailure } from '../../../contract/error-codes.ts';
import { MAX_IMAGE_PIXELS } from '../../../contract/limits.ts';
import type { Inspected, Size } from '../picture.ts';
import { findings } from './findings.ts';
import { BYTES_PER_PIXEL, MAX_PARTS, MAX_PIXELS_HELD_HERE } from './limits.ts';
import { readTiffDirectory, type TiffDirectory, tagValue } from './tiff-directory.ts';

const TAG = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planar: 284,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  sampleFormat: 339,
} as const;

const JPEG = 7;
/** Compressions that sharp's libtiff supports: for LZMA, ZSTD, old-style JPEG and others it returns black. */
const COMPRESSIONS = new Map([
  [1, 'none'],
  [2, 'CCITT RLE'],
  [3, 'CCITT T.4'],
  [4, 'CCITT T.6'],
  [5, 'LZW'],
  [JPEG, 'JPEG'],
  [8, 'Deflate'],
  [32_773, 'PackBits'],
  [32_946, 'Deflate'],
  [50_001, 'WebP'],
]);
const UNCOMPRESSED = 1;
/** Supported colour spaces: white is zero, black is zero, RGB, palette, mask, CMYK and YCbCr. */
const MOST_PHOTOMETRIC = 6;
const UNSIGNED = 1;
/** Undefined by its writer, treated as unsigned. */
const UNDEFINED = 4;
const MOST_BITS = 16;
const SEPARATE_PLANES = 2;

/**
 * Checks the first directory of a TIFF: whether all strips or tiles are in the file, and whether the colour space is supported.
 * libtiff does not report missing data, and fills it arbitrarily.
 */
export function inspectTiff(bytes: Buffer): Inspected | ImageFailure {
  const directory = readTiffDirectory(bytes);
  const size = { width: tagValue(directory, TAG.width) ?? 0, height: tagValue(directory, TAG.height) ?? 0 };
  const error = refusal(directory) ?? missingData(directory, size);
  if (error !== undefined) return error;
  const picture = findings('tiff', size, firstPage(bytes, directory), BYTES_PER_PIXEL.rows);
  const pixels = size.width * size.height;
  return {
    ...picture,
    megabytes: (Math.min(pixels, MAX_IMAGE_PIXELS) * BYTES_PER_PIXEL.tiff) / 1e6,
    // The strips of a TIFF can be JPEGs of many scans; libtiff allows a hundred.
    expensive:
      (tagValue(directory, TAG.compression) === JPEG && pixels > MAX_PIXELS_HELD_HERE / 4) ||
      pixels > 2 * MAX_PIXELS_HELD_HERE ||
      directory.entries.size >= MAX_PARTS ||
      directory.valueBytes > 2 * bytes.length,
    // libvips reports unreadable tiles as warnings, and nothing else.
    failOn: directory.entries.has(TAG.tileOffsets) ? 'warning' : 'error',
  };
}

function refusal(directory: TiffDirectory): ImageFailure | undefined {
  const expected = (what: string, got: string) =>
    new ImageFailure('unsupported_format', `expected a TIFF ${what}, got ${got}`);
  const compression = tagValue(directory, TAG.compression) ?? UNCOMPRESSED;
  if (!COMPRESSIONS.has(compression)) {
    const known = [...new Set(COMPRESSIONS.values())].join(', ');
    return expected(`of a compression that can be decoded (${known})`, `number ${compression}`);
  }
  const photometric = tagValue(directory, TAG.photometric) ?? 0;
  if (photometric > MOST_PHOTOMETRIC)
    return expected('of grey, RGB, palette, CMYK or YCbCr', `photometric ${photometric}`);
  const format = tagValue(directory, TAG.sampleFormat) ?? UNSIGNED;
  if (format !== UNSIGNED && format !== UNDEFINED) return expected('of unsigned integers', `sample format ${format}`);
  const bits = tagValue(directory, TAG.bitsPerSample) ?? 1;
  return bits > MOST_BITS ? expected(`of at most ${MOST_BITS} bits a sample`, `${bits}`) : undefined;
}

/** The strips or tiles of a picture: their size, and the tags of their offsets. */
type Pieces = { width: number; height: number; offsets: number; byteCounts: number };

/** Maximum number of strips or tiles that are checked: a million. */
const MAX_PIECES = 1_000_000;

function missingData(directory: TiffDirectory, size: Size): ImageFailure | undefined {
  const pieces = piecesOf(directory, size);
  if (directory.entries.has(TAG.tileOffsets) && pieces.width * pieces.height > MAX_IMAGE_PIXELS) {
    return new ImageFailure(
      'too_many_pixels',
      `expected tiles of at most ${MAX_IMAGE_PIXELS / 1e6} megapixels, got more`,
    );
  }
  const count = pieceCount(directory, pieces, size);
  if (!(count > 0)) return new ImageFailure('corrupt', 'expected a TIFF with a picture, got one without pixels');
  for (let index = 0; index < Math.min(count, MAX_PIECES); index++) {
    if (isMissing(directory, pieces, index)) {
      return new ImageFailure('corrupt', 'expected a whole TIFF, got one without some of its pixels');
    }
  }
  return undefined;
}

function pieceCount(directory: TiffDirectory, { width, height }: Pieces, size: Size): number {
  const separate = tagValue(directory, TAG.planar) === SEPARATE_PLANES;
  const planes = separate ? (tagValue(directory, TAG.samplesPerPixel) ?? 1) : 1;
  return Math.ceil(size.width / width) * Math.ceil(size.height / height) * planes;
}

function isMissing(directory: TiffDirectory, { offsets, byteCounts }: Pieces, index: number): boolean {
  const offset = tagValue(directory, offsets, index);
  // Some writers omit the byte counts; libtiff then computes them.
  const bytes = tagValue(directory, byteCounts, index) ?? 1;
  return offset === undefined || offset + bytes > directory.reader.bytes.length;
}

function piecesOf(directory: TiffDirectory, size: Size): Pieces {
  if (directory.entries.has(TAG.tileOffsets)) {
    return {
      width: tagValue(directory, TAG.tileWidth) ?? 0,
      height: tagValue(directory, TAG.tileHeight) ?? 0,
      offsets: TAG.tileOffsets,
      byteCounts: TAG.tileByteCounts,
    };
  }
  return {
    width: size.width,
    height: Math.min(tagValue(directory, TAG.rowsPerStrip) ?? size.height, size.height),
    offsets: TAG.stripOffsets,
    byteCounts: TAG.stripByteCounts,
  };
}

/** libtiff would search all pages, of which there can be a million: it gets a copy in which the first page is the last. */
function firstPage(bytes: Buffer, { next }: TiffDirectory): Buffer {
  const isLast = bytes.subarray(next.at, next.at + next.bytes).every((byte) => byte === 0);
  return isLast ? bytes : Buffer.from(bytes).fill(0, next.at, next.at + next.bytes);
}
