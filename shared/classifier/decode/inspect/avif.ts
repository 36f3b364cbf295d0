import { ImageFailure } from '../../../contract/error-codes.ts';
import type { CodedColours, Inspected, Size } from '../picture.ts';
import { type Box, findBox, readBoxes } from './boxes.ts';
import { ByteReader } from './byte-reader.ts';
import { findings } from './findings.ts';
import { type HeifItems, readHeifItems } from './heif-items.ts';
import { BYTES_PER_PIXEL, MAX_METADATA_BYTES, MAX_PARTS, MAX_PIXELS_HELD_HERE } from './limits.ts';

const BRANDS_AT = 8;
/** Brands of still pictures, and of sequences, which also contain a still picture. */
const STILL = 'avif';
const SEQUENCE = 'avis';
/** Brands of the container, which do not determine the codec. */
const CONTAINER = ['mif1', 'msf1', 'miaf'];
const HEVC = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis'];

/** Whether the brands of a file are those of AVIF, of HEIC (which is not supported) or of neither. */
export function heifKind(bytes: Buffer): 'avif' | 'heic' | undefined {
  if (bytes.toString('latin1', 4, 8) !== 'ftyp' || bytes.length < BRANDS_AT + 4) return undefined;
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 256);
  const brands = [];
  for (let at = BRANDS_AT; at + 4 <= end; at += 4) brands.push(bytes.toString('latin1', at, at + 4));
  if (brands.includes(STILL) || brands.includes(SEQUENCE)) return 'avif';
  if (brands.some((brand) => HEVC.includes(brand))) return 'heic';
  return CONTAINER.includes(brands[0] as string) ? 'avif' : undefined;
}

/** Reads the metadata of an AVIF picture: the location of its data, its size and its colours. */
export function inspectAvif(bytes: Buffer): Inspected | ImageFailure {
  const reader = new ByteReader(bytes, false);
  const boxes = readBoxes(reader, 0, bytes.length);
  const meta = findBox(boxes, 'meta');
  if (meta === undefined) return new ImageFailure('corrupt', 'expected an AVIF with a still picture, got none');
  const items = readHeifItems(reader, meta);
  if (items.dataEnd > bytes.length) {
    return new ImageFailure('corrupt', 'expected a whole AVIF, got one that ends within its pixels');
  }
  const properties = items.properties.get(items.primary ?? -1) ?? [];
  const colours = codedColours(reader, properties);
  const size = sizeOf(reader, properties) ?? { width: 0, height: 0 };
  const picture = findings('avif', size, asStill(bytes), BYTES_PER_PIXEL.avif);
  picture.expensive ||=
    boxes.length >= MAX_PARTS ||
    items.extents >= MAX_PARTS ||
    items.associations >= MAX_PARTS ||
    meta.end - meta.from > MAX_METADATA_BYTES ||
    pixelsOfAll(reader, items) > 2 * MAX_PIXELS_HELD_HERE;
  return { ...picture, ...(colours !== undefined && { colours }) };
}

/** libvips detects files by their first brand, and does not support sequences. */
function asStill(bytes: Buffer): Buffer {
  if (bytes.toString('latin1', BRANDS_AT, BRANDS_AT + 4) !== SEQUENCE) return bytes;
  const still = Buffer.from(bytes);
  still.write(STILL, BRANDS_AT, 'latin1');
  return still;
}

/** The pixels of a tiled picture are those of all its tiles. */
function pixelsOfAll(reader: ByteReader, { properties }: HeifItems): number {
  const sizes = [...properties.values()].map((ofItem) => sizeOf(reader, ofItem));
  return sizes.reduce((sum, size) => sum + (size === undefined ? 0 : size.width * size.height), 0);
}

function sizeOf(reader: ByteReader, properties: readonly Box[]): Size | undefined {
  const ispe = findBox(properties, 'ispe');
  return ispe && { width: reader.uint(ispe.from + 4, 4), height: reader.uint(ispe.from + 8, 4) };
}

function codedColours(reader: ByteReader, properties: readonly Box[]): CodedColours | undefined {
  const nclx = properties.find(({ type, from }) => type === 'colr' && reader.text(from, 4) === 'nclx');
  return nclx && { primaries: reader.uint(nclx.from + 4, 2), transfer: reader.uint(nclx.from + 6, 2) };
}
