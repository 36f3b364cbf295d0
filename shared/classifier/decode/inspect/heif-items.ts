import { type Box, findBox, readBoxes } from './boxes.ts';
import type { ByteReader } from './byte-reader.ts';
import { MAX_PARTS } from './limits.ts';

/** Version and flags at the start of a full box. */
const FULL_BOX_BYTES = 4;

/** The items of a HEIF file, by its `meta` box. */
export type HeifItems = {
  /** The primary item; undefined if the file does not name it. */
  primary: number | undefined;
  /** By item. */
  properties: ReadonlyMap<number, readonly Box[]>;
  /** The end of the last item data in the file. */
  dataEnd: number;
  extents: number;
  /** Total number of properties; at most `MAX_PARTS` are read. */
  associations: number;
};

/** @throws {FileEnds} when the box is incomplete */
export function readHeifItems(reader: ByteReader, meta: Box): HeifItems {
  reader.need(meta.from, meta.end - meta.from);
  const boxes = readBoxes(reader, meta.from + FULL_BOX_BYTES, meta.end);
  const pitm = findBox(boxes, 'pitm');
  const iprp = findBox(boxes, 'iprp');
  const iloc = findBox(boxes, 'iloc');
  return {
    primary: pitm && reader.uint(pitm.from + FULL_BOX_BYTES, reader.uint(pitm.from, 1) === 0 ? 2 : 4),
    ...(iprp ? readProperties(reader, iprp) : { properties: new Map(), associations: 0 }),
    ...(iloc ? readLocations(reader, iloc) : { dataEnd: 0, extents: 0 }),
  };
}

type Properties = { properties: Map<number, Box[]>; associations: number };

function readProperties(reader: ByteReader, iprp: Box): Properties {
  const boxes = readBoxes(reader, iprp.from, iprp.end);
  const ipco = findBox(boxes, 'ipco');
  const known = ipco ? readBoxes(reader, ipco.from, ipco.end) : [];
  const found: Properties = { properties: new Map(), associations: 0 };
  for (const ipma of boxes.filter(({ type }) => type === 'ipma')) associate(reader, ipma, known, found);
  return found;
}

/** An item may occur repeatedly, each time with up to 255 properties. */
function associate(reader: ByteReader, ipma: Box, known: readonly Box[], found: Properties): void {
  const idBytes = reader.uint(ipma.from, 1) === 0 ? 2 : 4;
  const indexBytes = reader.uint(ipma.from + 3, 1) & 1 ? 2 : 1;
  const mostIndex = indexBytes === 2 ? 0x7fff : 0x7f;
  let at = ipma.from + FULL_BOX_BYTES + 4;
  for (let left = Math.min(MAX_PARTS, reader.uint(at - 4, 4)); left > 0; left--) {
    const id = reader.uint(at, idBytes);
    const count = Math.min(reader.uint(at + idBytes, 1), MAX_PARTS - found.associations);
    at += idBytes + 1;
    const ofItem = found.properties.get(id) ?? [];
    found.properties.set(id, ofItem);
    for (const end = at + count * indexBytes; at < end; at += indexBytes) {
      const property = known[(reader.uint(at, indexBytes) & mostIndex) - 1];
      if (property !== undefined) ofItem.push(property);
    }
    found.associations += count;
    if (found.associations === MAX_PARTS) return;
  }
}

/** Sizes in bytes of the fields of an item's locations; fields of size 0 are absent. */
type LocationFields = { version: number; offset: number; length: number; base: number; index: number };

function readLocations(reader: ByteReader, iloc: Box): Pick<HeifItems, 'dataEnd' | 'extents'> {
  const version = reader.uint(iloc.from, 1);
  const sizes = reader.uint(iloc.from + FULL_BOX_BYTES, 2);
  const [offset, length, base, index] = [12, 8, 4, 0].map((shift) => (sizes >> shift) & 0x0f) as [
    number,
    number,
    number,
    number,
  ];
  const fields = { version, offset, length, base, index: version === 0 ? 0 : index };
  const countBytes = version < 2 ? 2 : 4;
  const locations = { dataEnd: 0, extents: 0 };
  let at = iloc.from + FULL_BOX_BYTES + 2 + countBytes;
  for (let left = reader.uint(at - countBytes, countBytes); left > 0 && locations.extents < MAX_PARTS; left--) {
    at = readLocation(reader, at, fields, locations);
  }
  return locations;
}

/** @returns the offset of the next item's locations */
function readLocation(
  reader: ByteReader,
  from: number,
  { version, offset, length, base, index }: LocationFields,
  locations: { dataEnd: number; extents: number },
): number {
  let at = from + (version < 2 ? 2 : 4);
  // Construction method 0 is an offset in the file.
  const inFile = version === 0 || (reader.uint(at, 2) & 0x0f) === 0;
  at += (version === 0 ? 0 : 2) + 2;
  const start = uintOf(reader, at, base);
  at += base + 2;
  for (let left = reader.uint(at - 2, 2); left > 0; left--) {
    const end = start + uintOf(reader, at + index, offset) + uintOf(reader, at + index + offset, length);
    if (inFile) locations.dataEnd = Math.max(locations.dataEnd, end);
    at += index + offset + length;
    locations.extents++;
  }
  return at;
}

function uintOf(reader: ByteReader, at: number, size: number): number {
  return size === 4 || size === 8 ? reader.uint(at, size) : 0;
}
