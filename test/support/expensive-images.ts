/** Images that are valid and small, and take a decoder as long as they like. */
import { crc32, deflateSync } from 'node:zlib';

const JPEG_BLOCK = 8;
/** Blocks that one end-of-band code can pass over. */
const LONGEST_RUN = 32_767;

/**
 * A black progressive JPEG of as many scans as are asked for, up to 882 per component: each sends one bit of one
 * coefficient, and marks all blocks as empty.
 */
export function scansJpeg(side: number, components: 1 | 3, scans: number): Buffer {
  const ids = [1, 2, 3].slice(0, components);
  const blocks = Math.ceil(side / JPEG_BLOCK) ** 2;
  const frame = Buffer.from([
    8,
    side >> 8,
    side & 255,
    side >> 8,
    side & 255,
    components,
    ...ids.flatMap((id) => [id, 0x11, 0]),
  ]);
  const nothing = entropyBits(`0${'1'.repeat(14)}`.repeat(Math.ceil(blocks / LONGEST_RUN)));
  const parts = [
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, Buffer.from([0, ...Array(64).fill(1)])),
    segment(0xc2, frame),
    segment(0xc4, oneCodeTable(0x00, 0x00)),
    segment(0xc4, oneCodeTable(0x10, 0xe0)),
    scanHeader(ids, 0, 0),
    Buffer.alloc(Math.ceil((blocks * components) / 8)),
  ];
  for (let scan = 0; scan < scans - 1; scan++) {
    const bit = 13 - (scan % 14);
    const coefficient = 1 + (Math.floor(scan / 14) % 63);
    const id = ids[Math.floor(scan / 882) % components] as number;
    parts.push(scanHeader([id], coefficient, ((bit === 13 ? 0 : bit + 1) << 4) | bit), nothing);
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xd9])]);
}

function segment(marker: number, data: Buffer): Buffer {
  const header = Buffer.from([0xff, marker, 0, 0]);
  header.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([header, data]);
}

/** A Huffman table in which the bit 0 is the only code. */
function oneCodeTable(kind: number, symbol: number): Buffer {
  return Buffer.from([kind, 1, ...Array(15).fill(0), symbol]);
}

function scanHeader(ids: readonly number[], coefficient: number, bits: number): Buffer {
  return segment(0xda, Buffer.from([ids.length, ...ids.flatMap((id) => [id, 0]), coefficient, coefficient, bits]));
}

function entropyBits(bits: string): Buffer {
  const bytes = [];
  for (let at = 0; at < bits.length; at += 8) bytes.push(Number.parseInt(bits.slice(at, at + 8).padEnd(8, '1'), 2));
  return Buffer.from(bytes.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte])));
}

const PNG_HEADER_END = 33;

/** A copy of a PNG with chunks behind its header. */
export function withPngChunks(png: Buffer, type: string, data: Buffer, times: number): Buffer {
  const content = Buffer.concat([Buffer.from(type), data]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  return Buffer.concat([png.subarray(0, PNG_HEADER_END), ...Array(times).fill(chunk), png.subarray(PNG_HEADER_END)]);
}

/** What stands in a zTXt chunk: a text of so many zeros. */
export function compressedText(bytes: number): Buffer {
  return Buffer.concat([Buffer.from('text\0\0'), deflateSync(Buffer.alloc(bytes))]);
}

/** A copy of a JPEG with empty application segments behind its start. */
export function withJpegSegments(jpeg: Buffer, times: number): Buffer {
  return Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.alloc(4 * times, Buffer.from([0xff, 0xe4, 0, 2])),
    jpeg.subarray(2),
  ]);
}

/** A GIF of a 1x1 frame again and again, or of comments before its frame. */
export function manyFramesGif(frames: number): Buffer {
  const header = Buffer.from('474946383961010001008000000000 00ffffff'.replaceAll(' ', ''), 'hex');
  const frame = Buffer.from('2c000000000100010000 0202440100'.replaceAll(' ', ''), 'hex');
  return Buffer.concat([header, ...Array(frames).fill(frame), Buffer.from([0x3b])]);
}

/** The boxes of an AVIF whose one item is named again and again, each time with 255 properties. */
export function manyPropertiesAvif(times: number): Buffer {
  const item = Buffer.concat([Buffer.from([0, 1, 255]), Buffer.alloc(255, 1)]);
  const count = Buffer.alloc(8);
  count.writeUInt32BE(times, 4);
  const size = box('ispe', Buffer.from([0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 10]));
  const properties = box('iprp', box('ipco', size), box('ipma', count, ...Array(times).fill(item)));
  const meta = box('meta', Buffer.alloc(4), box('pitm', Buffer.from([0, 0, 0, 0, 0, 1])), properties);
  return Buffer.concat([box('ftyp', Buffer.from('avif\0\0\0\0avifmif1')), meta]);
}

/** Of an ISO base media file. */
function box(type: string, ...parts: Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  const content = Buffer.concat(parts);
  header.writeUInt32BE(header.length + content.length, 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, content]);
}
