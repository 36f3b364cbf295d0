import type { ByteReader } from './byte-reader.ts';
import { MAX_PARTS } from './limits.ts';

/** A box of an ISO base media file: its content is from `from` to `end`, which may be beyond the end of the file. */
export type Box = { type: string; from: number; end: number };

const HEADER_BYTES = 8;
/** Special sizes: a 64-bit size follows, or the box reaches to the end of the file. */
const SIZE_FOLLOWS = 1;
const TO_THE_END = 0;

/**
 * The boxes from `from` to `end`, in sequence; at most `MAX_PARTS`.
 *
 * @throws {FileEnds} when the header of a box is incomplete
 */
export function readBoxes(reader: ByteReader, from: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + HEADER_BYTES <= Math.min(end, reader.bytes.length) && boxes.length < MAX_PARTS; ) {
    const box = readBox(reader, at, end);
    // A size smaller than the header would loop forever.
    if (box.end < box.from) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

function readBox(reader: ByteReader, at: number, end: number): Box {
  const size = reader.uint(at, 4);
  const type = reader.text(at + 4, 4);
  if (size === TO_THE_END) return { type, from: at + HEADER_BYTES, end };
  if (size !== SIZE_FOLLOWS) return { type, from: at + HEADER_BYTES, end: at + size };
  return { type, from: at + 2 * HEADER_BYTES, end: at + reader.uint(at + HEADER_BYTES, 8) };
}

/** The first box of a type. */
export function findBox(boxes: readonly Box[], type: string): Box | undefined {
  return boxes.find((box) => box.type === type);
}
