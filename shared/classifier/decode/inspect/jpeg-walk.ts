import { ByteReader, FileEnds } from './byte-reader.ts';

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const RST0 = 0xd0;
const TEM = 0x01;
/** Markers within the range of frame headers that are Huffman tables, an extension and arithmetic conditioning. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
const COEFFICIENTS = 64;
const NEVER_SENT = -1;

/** A component's share of the full resolution, and how many low bits of each coefficient are still missing. */
type Component = { share: number; missingBits: Int8Array };

/** The frame header of a JPEG. */
export type JpegFrame = {
  width: number;
  height: number;
  isProgressive: boolean;
  isArithmetic: boolean;
  components: ReadonlyMap<number, Component>;
};

/** The findings from the segments of a JPEG. */
export type JpegWalk = {
  frame: JpegFrame | undefined;
  segments: number;
  scans: number;
  /** Samples of all components of all scans. */
  samples: number;
  /** The offset of the data of the last scan. */
  lastScanAt: number;
};

/**
 * Reads the segments of a JPEG, up to its end or to the one scan that holds all components. Between scans it only
 * searches markers, which takes about a millisecond per megabyte.
 *
 * @throws {FileEnds} before the first scan
 */
export function walkJpeg(bytes: Buffer): JpegWalk {
  const walk: JpegWalk = { frame: undefined, segments: 0, scans: 0, samples: 0, lastScanAt: 0 };
  const reader = new ByteReader(bytes, false);
  try {
    for (let at = 2; at !== -1; ) at = nextSegment(reader, at, walk);
  } catch (error) {
    if (!(error instanceof FileEnds) || walk.scans === 0) throw error;
  }
  return walk;
}

/** @returns the offset of the next segment; -1 at the end */
function nextSegment(reader: ByteReader, from: number, walk: JpegWalk): number {
  const at = findMarker(reader.bytes, from);
  if (at === -1) {
    if (walk.scans === 0) throw new FileEnds();
    return -1;
  }
  const marker = reader.bytes[at] as number;
  if (marker === EOI) return -1;
  if (marker === SOI || marker === TEM) return at + 1;
  walk.segments++;
  const end = at + 1 + reader.uint(at + 1, 2);
  reader.need(at, end - at);
  if (isFrame(marker)) walk.frame ??= readFrame(reader, at + 3, marker);
  if (marker !== SOS) return end;
  const isLast = addScan(reader, at + 3, walk);
  walk.lastScanAt = end;
  return isLast ? -1 : end;
}

/** The offset of the second byte of the next marker; in scan data, 0xff is followed by 0 or a restart. */
function findMarker(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1 && at + 1 < bytes.length; ) {
    const next = bytes[at + 1] as number;
    const isData = next === 0 || (next >= RST0 && next < SOI);
    if (!isData && next !== 0xff) return at + 1;
    at += isData ? 2 : 1;
    // Search only if it is not right here: a search costs more than a check.
    if (bytes[at] !== 0xff) at = bytes.indexOf(0xff, at);
  }
  return -1;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker);
}

function readFrame(reader: ByteReader, at: number, marker: number): JpegFrame {
  const sampled = Array.from({ length: reader.uint(at + 5, 1) }, (_, index) => {
    const sampling = reader.uint(at + 7 + 3 * index, 1);
    return { id: reader.uint(at + 6 + 3 * index, 1), area: (sampling >> 4) * (sampling & 0x0f) };
  });
  const most = Math.max(1, ...sampled.map(({ area }) => area));
  return {
    height: reader.uint(at + 1, 2),
    width: reader.uint(at + 3, 2),
    isProgressive: (marker & 0x03) === 2,
    isArithmetic: marker > 0xc8,
    components: new Map(
      sampled.map(({ id, area }) => [
        id,
        { share: area / most, missingBits: new Int8Array(COEFFICIENTS).fill(NEVER_SENT) },
      ]),
    ),
  };
}

/** @returns whether it is the only scan, with all components */
function addScan(reader: ByteReader, at: number, walk: JpegWalk): boolean {
  const { frame } = walk;
  if (frame === undefined) throw new FileEnds();
  const count = reader.uint(at, 1);
  const [first, last, bits] = [0, 1, 2].map((offset) => reader.uint(at + 1 + 2 * count + offset, 1)) as [
    number,
    number,
    number,
  ];
  walk.scans++;
  for (let index = 0; index < count; index++) {
    const component = frame.components.get(reader.uint(at + 1 + 2 * index, 1));
    if (component === undefined) continue;
    walk.samples += frame.width * frame.height * component.share;
    component.missingBits.fill(bits & 0x0f, first, last + 1);
  }
  return !frame.isProgressive && walk.scans === 1 && count === frame.components.size;
}

/** Whether the scans contain all bits of all coefficients of all components. */
export function isComplete({ components }: JpegFrame): boolean {
  return [...components.values()].every(({ missingBits }) => missingBits.every((bits) => bits === 0));
}
