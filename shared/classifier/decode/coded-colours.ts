import { ImageFailure } from '../../contract/error-codes.ts';
import type { CodedColours } from './picture.ts';

/** ITU-T H.273: the colour space of a picture without an ICC profile. */
const PQ = 16;
const HLG = 18;
/** BT.709, unspecified, BT.601, sRGB and BT.2020: browsers treat all of them as the sRGB curve. */
const LIKE_SRGB = [1, 2, 6, 7, 11, 12, 13, 14, 15];
const GAMMAS = new Map([
  [4, 2.2],
  [5, 2.8],
  [8, 1],
]);

type Matrix = readonly [readonly number[], readonly number[], readonly number[]];

/** Primaries of sRGB, or unspecified. */
const OF_SRGB = [1, 2];
const BT601_525: Matrix = [
  [0.939542, 0.050181, 0.010277],
  [0.017772, 0.965793, 0.016435],
  [-0.001622, -0.00437, 1.005991],
];
/** Matrices from linear light of other primaries to sRGB; computed from the chromaticities, all with white point D65. */
const TO_SRGB = new Map<number, Matrix>([
  [
    5,
    [
      [1.044043, -0.044043, 0],
      [0, 1, 0],
      [0, 0.011793, 0.988207],
    ],
  ],
  [6, BT601_525],
  [7, BT601_525],
  [
    9,
    [
      [1.660491, -0.587641, -0.07285],
      [-0.12455, 1.1329, -0.008349],
      [-0.018151, -0.100579, 1.11873],
    ],
  ],
  [
    12,
    [
      [1.22494, -0.22494, 0],
      [-0.042057, 1.042057, 0],
      [-0.019638, -0.078636, 1.098274],
    ],
  ],
]);

/** The failure of a picture whose colours cannot be converted to sRGB, which would get wrong labels; undefined when they can. */
export function coloursRefusal({ primaries, transfer }: CodedColours): ImageFailure | undefined {
  const expected = 'expected a picture whose colours can be converted to sRGB, got';
  if (transfer === PQ) return new ImageFailure('unsupported_format', `${expected} high dynamic range (PQ)`);
  if (transfer === HLG) return new ImageFailure('unsupported_format', `${expected} high dynamic range (HLG)`);
  if (!LIKE_SRGB.includes(transfer) && !GAMMAS.has(transfer)) {
    return new ImageFailure('unsupported_format', `${expected} transfer function ${transfer}`);
  }
  if (OF_SRGB.includes(primaries) || TO_SRGB.has(primaries)) return undefined;
  return new ImageFailure('unsupported_format', `${expected} primaries ${primaries}`);
}

/** Converts RGB bytes to sRGB, in place; after resizing, so only a few thousand pixels. */
export function convertToSrgb(pixels: Uint8Array, { primaries, transfer }: CodedColours): void {
  const matrix = TO_SRGB.get(primaries);
  const gamma = GAMMAS.get(transfer);
  if (matrix === undefined && gamma === undefined) return;
  const linear = Float64Array.from({ length: 256 }, (_, level) => linearOf(level / 255, gamma));
  for (let at = 0; at < pixels.length; at += 3) {
    const rgb = [0, 1, 2].map((channel) => linear[pixels[at + channel] as number] as number);
    pixels.set((matrix?.map((row) => dot(row, rgb)) ?? rgb).map(levelOf), at);
  }
}

function linearOf(value: number, gamma: number | undefined): number {
  if (gamma !== undefined) return value ** gamma;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function levelOf(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}

function dot(row: readonly number[], [red = 0, green = 0, blue = 0]: readonly number[]): number {
  const [ofRed = 0, ofGreen = 0, ofBlue = 0] = row;
  return ofRed * red + ofGreen * green + ofBlue * blue;
}
