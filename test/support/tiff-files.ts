/**
 * TIFFs as most programs write them and sharp does not: directories first, then what they point to. So the end of the
 * file is pixels.
 */
import { deflateSync } from 'node:zlib';

/** The numbers that TIFF 6 gives the tags; 339 is the sample format. */
export type TiffKind = {
  big?: boolean;
  tiled?: boolean;
  planar?: boolean;
  pages?: number;
  /** Of each sample. 32 are floats. */
  bits?: 8 | 16 | 32;
  /** `number` with data that is compressed already, or is garbage. */
  compression?: 'none' | 'deflate' | { number: number; data: Buffer };
  icc?: Buffer;
  /** 1 is grey, 2 RGB. */
  photometric?: 1 | 2;
};

/** RGB of 8 bits, or grey. */
export type Picture = { width: number; height: number; pixels: Buffer };

const TILE = 64;
const ROWS_PER_STRIP = 16;

type Entry = { tag: number; type: 3 | 4 | 7; values: number[] };
type Page = { entries: Entry[]; pieces: Buffer[] };

export function tiffFile(picture: Picture, kind: TiffKind = {}): Buffer {
  const pages = Array.from({ length: kind.pages ?? 1 }, () => pageOf(picture, kind));
  return layOut(pages, kind.big ?? false);
}

function pageOf(picture: Picture, kind: TiffKind): Page {
  const { width, height } = picture;
  const channels = picture.pixels.length / width / height;
  const bits = kind.bits ?? 8;
  const planes = planesOf(picture, channels, kind.planar ?? false);
  const pieces = planes
    .flatMap((plane) => piecesOf(plane, width, height, kind))
    .map((piece) => compress(widen(piece, bits), kind.compression));
  const byteCounts = pieces.map(({ length }) => length);
  const entries: Entry[] = [
    { tag: 256, type: 4, values: [width] },
    { tag: 257, type: 4, values: [height] },
    { tag: 258, type: 3, values: Array(channels).fill(bits) },
    { tag: 259, type: 3, values: [compressionNumber(kind.compression)] },
    { tag: 262, type: 3, values: [kind.photometric ?? 2] },
    { tag: 277, type: 3, values: [channels] },
    { tag: 284, type: 3, values: [kind.planar ? 2 : 1] },
    ...(kind.tiled ? tileEntries(byteCounts) : stripEntries(byteCounts)),
    ...optionalEntries(kind, channels),
  ];
  return { entries: entries.sort((one, other) => one.tag - other.tag), pieces };
}

function compressionNumber(compression: TiffKind['compression']): number {
  if (typeof compression === 'object') return compression.number;
  return compression === 'deflate' ? 8 : 1;
}

function stripEntries(byteCounts: number[]): Entry[] {
  return [
    { tag: 273, type: 4, values: byteCounts.map(() => 0) },
    { tag: 278, type: 4, values: [ROWS_PER_STRIP] },
    { tag: 279, type: 4, values: byteCounts },
  ];
}

function tileEntries(byteCounts: number[]): Entry[] {
  return [
    { tag: 322, type: 3, values: [TILE] },
    { tag: 323, type: 3, values: [TILE] },
    { tag: 324, type: 4, values: byteCounts.map(() => 0) },
    { tag: 325, type: 4, values: byteCounts },
  ];
}

function optionalEntries({ bits, icc }: TiffKind, channels: number): Entry[] {
  const entries: Entry[] = [];
  if (bits === 32) entries.push({ tag: 339, type: 3, values: Array(channels).fill(3) });
  if (icc) entries.push({ tag: 34_675, type: 7, values: [...icc] });
  return entries;
}

function planesOf({ pixels }: Picture, channels: number, separate: boolean): Buffer[] {
  if (!separate) return [pixels];
  return Array.from({ length: channels }, (_, channel) =>
    Buffer.from(pixels.filter((_value, at) => at % channels === channel)),
  );
}

function piecesOf(plane: Buffer, width: number, height: number, { tiled }: TiffKind): Buffer[] {
  const bytes = plane.length / width / height;
  if (!tiled) {
    return Array.from({ length: Math.ceil(height / ROWS_PER_STRIP) }, (_, strip) =>
      plane.subarray(strip * ROWS_PER_STRIP * width * bytes, (strip + 1) * ROWS_PER_STRIP * width * bytes),
    );
  }
  const across = Math.ceil(width / TILE);
  return Array.from({ length: across * Math.ceil(height / TILE) }, (_, tile) => {
    const [left, top] = [(tile % across) * TILE, Math.floor(tile / across) * TILE];
    const made = Buffer.alloc(TILE * TILE * bytes);
    for (let row = 0; row < Math.min(TILE, height - top); row++) {
      const from = ((top + row) * width + left) * bytes;
      plane.copy(made, row * TILE * bytes, from, from + Math.min(TILE, width - left) * bytes);
    }
    return made;
  });
}

function widen(piece: Buffer, bits: 8 | 16 | 32): Buffer {
  if (bits === 8) return piece;
  const wide =
    bits === 16 ? Uint16Array.from(piece, (value) => value * 257) : Float32Array.from(piece, (value) => value / 255);
  return Buffer.from(wide.buffer);
}

function compress(piece: Buffer, compression: TiffKind['compression']): Buffer {
  if (typeof compression === 'object') return compression.data;
  return compression === 'deflate' ? deflateSync(piece) : piece;
}

const TYPE_BYTES = { 3: 2, 4: 4, 7: 1 };

function layOut(pages: readonly Page[], big: boolean): Buffer {
  const wide = big ? 8 : 4;
  const directoryBytes = ({ entries }: Page) => (big ? 8 : 2) + entries.length * (big ? 20 : 12) + wide;
  let free = (big ? 16 : 8) + pages.reduce((sum, page) => sum + directoryBytes(page), 0);
  const take = (bytes: number) => {
    free += bytes;
    return free - bytes;
  };
  const later: [at: number, bytes: Buffer][] = [];
  const valuesOf = ({ type, values }: Entry) => {
    const bytes = Buffer.alloc(values.length * TYPE_BYTES[type]);
    values.forEach((value, index) => void bytes.writeUIntLE(value, index * TYPE_BYTES[type], TYPE_BYTES[type]));
    return bytes;
  };
  // Values first, then pixels: the last bytes of the file are the last page's.
  const places = pages.map(({ entries }) =>
    entries.map((entry) => {
      const bytes = entry.values.length * TYPE_BYTES[entry.type];
      return bytes > wide ? take(bytes) : -1;
    }),
  );
  for (const { entries, pieces } of pages) {
    const offsets = entries.find(({ tag }) => tag === 273 || tag === 324) as Entry;
    offsets.values = pieces.map((piece) => {
      const at = take(piece.length);
      later.push([at, piece]);
      return at;
    });
  }
  const file = Buffer.alloc(free);
  const uint = (value: number, at: number, bytes: number) =>
    bytes === 8 ? file.writeBigUInt64LE(BigInt(value), at) : file.writeUIntLE(value, at, bytes);
  file.write('II', 'latin1');
  uint(big ? 43 : 42, 2, 2);
  if (big) uint(8, 4, 2);
  let at = big ? 16 : 8;
  uint(at, big ? 8 : 4, wide);
  pages.forEach((page, number) => {
    uint(page.entries.length, at, big ? 8 : 2);
    at += big ? 8 : 2;
    page.entries.forEach((entry, index) => {
      const bytes = valuesOf(entry);
      const place = places[number]?.[index] ?? -1;
      uint(entry.tag, at, 2);
      uint(entry.type, at + 2, 2);
      uint(entry.values.length, at + 4, wide);
      if (place === -1) bytes.copy(file, at + 4 + wide);
      else {
        uint(place, at + 4 + wide, wide);
        later.push([place, bytes]);
      }
      at += big ? 20 : 12;
    });
    uint(number + 1 < pages.length ? at + wide : 0, at, wide);
    at += wide;
  });
  for (const [place, bytes] of later) bytes.copy(file, place);
  return file;
}
