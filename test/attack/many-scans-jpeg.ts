/** Coefficients of a block, and bits of each that a scan of its own may refine (ITU T.81, G.1.1). */
const COEFFICIENTS = 64;
const APPROXIMATIONS = 11;
const COMPONENTS = [1, 2, 3] as const;
const BLOCK = 8;
/** An end-of-band symbol covers up to so many blocks: 2 to the 14, and as many again but one by its extra bits. */
const MAX_END_OF_BAND_RUN = 2 ** 15 - 1;

/**
 * A grey picture in as many scans as a progressive JPEG may have: a scan for each bit of each coefficient of each
 * component, about 2,000 in all. Each is a pass over the whole picture for a decoder, and a few bytes for a server.
 *
 * @param side in pixels, a multiple of 8
 */
export function manyScansJpeg(side: number): Buffer {
  const blocks = (side / BLOCK) ** 2;
  const parts: Buffer[] = [START, QUANTIZATION, frame(side), DC_TABLE, AC_TABLE];
  const endOfBands = entropyCoded(endOfBandRuns(blocks));
  const dcFirst = entropyCoded(zeros(blocks * COMPONENTS.length));
  const levels = Array.from({ length: APPROXIMATIONS }, (_, index) => APPROXIMATIONS - 1 - index);
  for (const level of levels) {
    const before = level === APPROXIMATIONS - 1 ? 0 : level + 1;
    parts.push(scan(COMPONENTS, { from: 0, to: 0, before, level }), dcFirst);
    for (const component of COMPONENTS) {
      for (let coefficient = 1; coefficient < COEFFICIENTS; coefficient++) {
        parts.push(scan([component], { from: coefficient, to: coefficient, before, level }), endOfBands);
      }
    }
  }
  return Buffer.concat([...parts, END]);
}

const START = Buffer.from([0xff, 0xd8]);
const END = Buffer.from([0xff, 0xd9]);
const QUANTIZATION = segment(0xdb, [0, ...Array.from({ length: COEFFICIENTS }, () => 1)]);
/** One code of one bit: the difference to the block before is zero. */
const DC_TABLE = segment(0xc4, [0x00, 1, ...Array.from({ length: 15 }, () => 0), 0]);
/** Fifteen codes of four bits: the end of the band in this block and in up to 2 to the n others. */
const AC_TABLE = segment(0xc4, [
  ...[0x10, 0, 0, 0, 15, ...Array.from({ length: 12 }, () => 0)],
  ...Array.from({ length: 15 }, (_, power) => power << 4),
]);

function frame(side: number): Buffer {
  const size = [side >> 8, side & 255, side >> 8, side & 255];
  return segment(0xc2, [8, ...size, COMPONENTS.length, ...COMPONENTS.flatMap((id) => [id, 0x11, 0])]);
}

type Scan = { from: number; to: number; before: number; level: number };

function scan(components: readonly number[], { from, to, before, level }: Scan): Buffer {
  const tables = components.flatMap((id) => [id, 0x00]);
  return segment(0xda, [components.length, ...tables, from, to, (before << 4) | level]);
}

function segment(marker: number, content: readonly number[]): Buffer {
  const length = content.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...content]);
}

/** A bit for each: in the first scan its code, in the others the bit itself. */
function zeros(count: number): string {
  return '0'.repeat(count);
}

function endOfBandRuns(blocks: number): string {
  let bits = '';
  for (let left = blocks; left > 0; ) {
    const run = Math.min(left, MAX_END_OF_BAND_RUN);
    const power = Math.floor(Math.log2(run));
    bits += power.toString(2).padStart(4, '0');
    if (power > 0) bits += (run - 2 ** power).toString(2).padStart(power, '0');
    left -= run;
  }
  return bits;
}

/** Bits as bytes, filled up with ones; a byte of ones is followed by one of zeros. */
function entropyCoded(bits: string): Buffer {
  const bytes = bits.match(/.{1,8}/g)?.map((piece) => Number.parseInt(piece.padEnd(8, '1'), 2)) ?? [];
  return Buffer.from(bytes.flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte])));
}
