import { ImageFailure } from '../../../contract/error-codes.ts';
import type { Inspected } from '../picture.ts';
import { ByteReader, FileEnds } from './byte-reader.ts';
import { findings } from './findings.ts';
import { BYTES_PER_PIXEL } from './limits.ts';

const HEADER_BYTES = 13;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;
const IMAGE_BYTES = 10;
const TRAILER = 0x3b;

/** The offsets of the parts of a GIF that its first frame depends on. */
type FirstFrame = { control: [from: number, end: number] | undefined; image: [from: number, end: number] };

/**
 * Finds the first frame of a GIF, and gives the decoder only that: it would process all frames and comments, of which there can be
 * a million.
 */
export function inspectGif(bytes: Buffer): Inspected | ImageFailure {
  const reader = new ByteReader(bytes, true);
  const headerEnd = HEADER_BYTES + paletteBytes(reader.uint(10, 1));
  const frame = findFirstFrame(reader, headerEnd);
  if (frame === undefined) return new ImageFailure('corrupt', 'expected a GIF with a frame, got none');
  const [at] = frame.image;
  const size = {
    width: Math.max(reader.uint(6, 2), reader.uint(at + 1, 2) + reader.uint(at + 5, 2)),
    height: Math.max(reader.uint(8, 2), reader.uint(at + 3, 2) + reader.uint(at + 7, 2)),
  };
  const parts: [number, number][] = [[0, headerEnd], ...(frame.control ? [frame.control] : []), frame.image];
  const kept = Buffer.concat([...parts.map(([from, end]) => bytes.subarray(from, end)), Buffer.from([TRAILER])]);
  return findings('gif', size, kept, BYTES_PER_PIXEL.gif);
}

/** Bits of the flags of the screen or of an image. */
function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 0x07) + 1) : 0;
}

/** @throws {FileEnds} when the frame is incomplete */
function findFirstFrame(reader: ByteReader, from: number): FirstFrame | undefined {
  let control: FirstFrame['control'];
  for (let at = from; ; ) {
    const kind = reader.uint(at, 1);
    if (kind === IMAGE) {
      const data = at + IMAGE_BYTES + paletteBytes(reader.uint(at + 9, 1));
      return { control, image: [at, afterBlocks(reader, data + 1)] };
    }
    if (kind !== EXTENSION) return undefined;
    const end = afterBlocks(reader, at + 2);
    if (reader.uint(at + 1, 1) === GRAPHIC_CONTROL) control = [at, end];
    at = end;
  }
}

/** The end of a sequence of blocks: each starts with its length, and the last one has length 0. */
function afterBlocks({ bytes }: ByteReader, from: number): number {
  for (let at = from; ; ) {
    const length = bytes[at];
    if (length === undefined) throw new FileEnds();
    at += 1 + length;
    if (length === 0) return at;
  }
}
