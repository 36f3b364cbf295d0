const SHORT = 3;
const LONG = 4;
const RGB = 3;

/**
 * An uncompressed TIFF of one strip, whose directory stands before the pixels: what is cut off of it is pixels.
 *
 * @param side in pixels
 * @param share of its pixels that are there, 0 to 1
 */
export function rawTiff(side: number, share = 1): Buffer {
  const bytes = side * side * RGB;
  const fields = [
    [256, SHORT, side],
    [257, SHORT, side],
    [258, SHORT, 8],
    [259, SHORT, 1],
    [262, SHORT, 2],
    [273, LONG, 0],
    [277, SHORT, RGB],
    [278, SHORT, side],
    [279, LONG, bytes],
  ] as const;
  const pixelsAt = 8 + 2 + 12 * fields.length + 4;
  const head = Buffer.alloc(pixelsAt);
  head.write('II*\0');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(fields.length, 8);
  for (const [index, [tag, type, value]] of fields.entries()) {
    const at = 10 + 12 * index;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(1, at + 4);
    head.writeUInt32LE(tag === 273 ? pixelsAt : value, at + 8);
  }
  return Buffer.concat([head, Buffer.alloc(Math.floor(bytes * share), 100)]);
}
