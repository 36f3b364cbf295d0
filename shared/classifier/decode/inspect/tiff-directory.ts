import { ByteReader } from './byte-reader.ts';

/** Bytes per value, by the number of the type. */
const TYPE_BYTES: Record<number, number> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};
const BIG_TIFF = 43;

/** Values of a tag: `count` of them, at offset `at`. */
type Entry = { at: number; count: number; bytes: 1 | 2 | 4 | 8 };

/** The first directory of a TIFF. */
export type TiffDirectory = {
  reader: ByteReader;
  entries: ReadonlyMap<number, Entry>;
  /** Bytes of the values of all tags. */
  valueBytes: number;
  /** The position and size of the offset of the second directory. */
  next: { at: number; bytes: 4 | 8 };
};

/** @throws {FileEnds} when the directory or a tag's values are beyond the end of the file */
export function readTiffDirectory(file: Buffer): TiffDirectory {
  const reader = new ByteReader(file, file[0] === 0x49);
  const isBig = reader.uint(2, 2) === BIG_TIFF;
  const wide = isBig ? 8 : 4;
  const countBytes = isBig ? 8 : 2;
  const entryBytes = isBig ? 20 : 12;
  const from = reader.uint(isBig ? 8 : 4, wide);
  const count = reader.uint(from, countBytes);
  const next = from + countBytes + count * entryBytes;
  reader.need(from, next - from);
  const entries = new Map<number, Entry>();
  let valueBytes = 0;
  for (let at = from + countBytes; at < next; at += entryBytes) {
    const entry = readEntry(reader, at, wide);
    if (entry === undefined) continue;
    const tag = reader.uint(at, 2);
    if (!entries.has(tag)) entries.set(tag, entry);
    valueBytes += entry.count * entry.bytes;
  }
  return { reader, entries, valueBytes, next: { at: next, bytes: wide } };
}

/** @returns undefined for an unknown type */
function readEntry(reader: ByteReader, at: number, wide: 4 | 8): Entry | undefined {
  const size = TYPE_BYTES[reader.uint(at + 2, 2)];
  if (size === undefined) return undefined;
  const count = reader.uint(at + 4, wide);
  const value = at + 4 + wide;
  const place = count * size <= wide ? value : reader.uint(value, wide);
  return { at: place, count, bytes: size as Entry['bytes'] };
}

/**
 * The value at an index of a tag of unsigned integers; undefined beyond its last value.
 *
 * @throws {FileEnds} when it is beyond the end of the file
 */
export function tagValue({ reader, entries }: TiffDirectory, tag: number, index = 0): number | undefined {
  const entry = entries.get(tag);
  if (entry === undefined || index >= entry.count) return undefined;
  return reader.uint(entry.at + index * entry.bytes, entry.bytes);
}
