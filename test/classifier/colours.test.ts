import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { withPngChunks } from '../support/expensive-images.ts';
import { displayP3Profile, greyProfile, srgbProfile } from '../support/icc-profiles.ts';
import { type TiffKind, tiffFile } from '../support/tiff-files.ts';
import { decodeCode, decoded } from './pictures.ts';

/** Levels of 255 within which a colour is right. */
const TOLERANCE = 3;
type Rgb = readonly [number, number, number];

/**
 * The same numbers as sRGB and as Display P3: what littleCMS (Pillow 13's ImageCms, perceptual) makes of them in sRGB,
 * with a Display P3 profile of the same matrix and curve.
 */
const P3_IN_SRGB: [p3: Rgb, srgb: Rgb][] = [
  [
    [0, 150, 220],
    [0, 153, 226],
  ],
  [
    [200, 30, 40],
    [218, 0, 27],
  ],
  [
    [20, 180, 60],
    [0, 183, 31],
  ],
  [
    [240, 200, 20],
    [248, 198, 0],
  ],
  [
    [120, 120, 120],
    [120, 120, 120],
  ],
  [
    [150, 60, 190],
    [162, 52, 197],
  ],
];
const COLOURS = P3_IN_SRGB.map(([colour]) => colour);
const SIZE = { width: 64, height: 64 };
const PLAIN = { inputSize: 64, crop: 1, interpolation: 'nearest' } as const;

function plain(colour: Rgb): Buffer {
  return Buffer.alloc(SIZE.width * SIZE.height * 3, Buffer.from(colour));
}

async function colourOf(file: Buffer): Promise<number[]> {
  const { pixels } = await decoded(file, PLAIN);
  return [...pixels.subarray(0, 3)];
}

function expectNear(colour: readonly number[], right: readonly number[]): void {
  const worst = Math.max(...colour.map((value, channel) => Math.abs(value - (right[channel] as number))));
  expect({ colour, right, isNear: worst <= TOLERANCE }).toEqual({ colour, right, isNear: true });
}

function colourTiff(colour: Rgb, kind: TiffKind): Buffer {
  return tiffFile({ ...SIZE, pixels: plain(colour) }, kind);
}

describe('as in sRGB:', () => {
  test.each<[string, TiffKind]>([
    ['16 bits without a profile', { bits: 16 }],
    ['16 bits with sRGB as their profile', { bits: 16, icc: srgbProfile() }],
    ['8 bits with sRGB as their profile', { icc: srgbProfile() }],
  ])('%s', async (_what, kind) => {
    for (const colour of COLOURS) expectNear(await colourOf(colourTiff(colour, kind)), colour);
  });

  test.each<[string, TiffKind]>([
    ['16 bits in Display P3', { bits: 16, icc: displayP3Profile() }],
    ['8 bits in Display P3', { icc: displayP3Profile() }],
  ])('%s', async (_what, kind) => {
    for (const [p3, srgb] of P3_IN_SRGB) expectNear(await colourOf(colourTiff(p3, kind)), srgb);
  });

  test.each([8, 16] as const)('grey of %d bits with a profile of its own', async (bits) => {
    const gamma = 1.8;
    for (const grey of [30, 90, 120, 200, 240]) {
      const light = (grey / 255) ** gamma;
      const right = Math.round(255 * (1.055 * light ** (1 / 2.4) - 0.055));
      const pixels = Buffer.alloc(SIZE.width * SIZE.height, grey);
      const file = tiffFile({ ...SIZE, pixels }, { bits, photometric: 1, icc: greyProfile(gamma) });
      expectNear(await colourOf(file), [right, right, right]);
    }
  });
});

/** Primaries and transfer function of ITU-T H.273. */
const CODED = { srgb: [1, 13], p3: [12, 13], linear: [1, 8], pq: [9, 16], hlg: [9, 18], film: [8, 13] } as const;
type Coded = keyof typeof CODED;

/** A lossless AVIF whose `colr` box says what its colours are. */
async function codedAvif(colour: Rgb, coded: Coded): Promise<Buffer> {
  const image = sharp(plain(colour), { raw: { ...SIZE, channels: 3 } });
  const file = await image.avif({ lossless: true, effort: 0, chromaSubsampling: '4:4:4' }).toBuffer();
  const [primaries, transfer] = CODED[coded];
  const at = file.indexOf('colrnclx');
  file.writeUInt16BE(primaries, at + 8);
  file.writeUInt16BE(transfer, at + 10);
  return file;
}

async function codedPng(colour: Rgb, coded: Coded): Promise<Buffer> {
  const file = await sharp(plain(colour), { raw: { ...SIZE, channels: 3 } })
    .png()
    .toBuffer();
  return withPngChunks(file, 'cICP', Buffer.from([...CODED[coded], 0, 1]), 1);
}

describe.each([
  ['AVIF', codedAvif],
  ['PNG', codedPng],
])('colours that %s has by code points', (_format, make) => {
  test('sRGB stays as it is', async () => {
    for (const colour of COLOURS) expectNear(await colourOf(await make(colour, 'srgb')), colour);
  });

  test('Display P3 is converted', async () => {
    for (const [p3, srgb] of P3_IN_SRGB) expectNear(await colourOf(await make(p3, 'p3')), srgb);
  });

  test('linear light is converted', async () => {
    const curve = (value: number) => Math.round(255 * (1.055 * (value / 255) ** (1 / 2.4) - 0.055));
    expectNear(await colourOf(await make([10, 100, 200], 'linear')), [10, 100, 200].map(curve));
  });

  test.each(['pq', 'hlg', 'film'] as const)('%s is not an image of a supported format', async (coded) => {
    expect(await decodeCode(await make([0, 150, 220], coded))).toBe('unsupported_format');
  });
});

describe('is refused, because its colours are unknown:', () => {
  test('a TIFF of floats', async () => {
    expect(await decodeCode(colourTiff([0, 150, 220], { bits: 32 }))).toBe('unsupported_format');
  });
});
