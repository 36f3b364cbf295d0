import { beforeAll, describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { tiffFile } from '../support/tiff-files.ts';
import { decodeCode, decoded, FORMAT, readPhoto } from './pictures.ts';

/** Not a multiple of any block's or strip's size. */
const SIZE = { width: 300, height: 203 };
/** The whole picture, so that pixels that are missing anywhere would show. */
const WHOLE = { ...FORMAT, crop: 1 };
const JPEG_END_BYTES = 2;

let photo: Buffer;
let raw: Buffer;

beforeAll(async () => {
  photo = await sharp(await readPhoto('coffee.jpg'))
    .resize(SIZE.width, SIZE.height, { fit: 'fill' })
    .png()
    .toBuffer();
  raw = await sharp(photo).raw().toBuffer();
});

const ENCODERS: Record<string, (image: Sharp) => Sharp> = {
  'a baseline JPEG': (image) => image.jpeg(),
  'a JPEG of 4:4:4': (image) => image.jpeg({ chromaSubsampling: '4:4:4' }),
  'a CMYK JPEG': (image) => image.toColourspace('cmyk').jpeg(),
  'a grey JPEG': (image) => image.grayscale().jpeg(),
  'a progressive JPEG': (image) => image.jpeg({ progressive: true }),
  'a PNG': (image) => image.png(),
  'an interlaced PNG': (image) => image.png({ progressive: true }),
  'a lossy WebP': (image) => image.webp(),
  'a lossless WebP': (image) => image.webp({ lossless: true }),
  'a WebP with transparency': (image) => image.ensureAlpha(0.5).webp(),
  'a GIF': (image) => image.gif(),
  'an AVIF': (image) => image.avif({ effort: 0 }),
  'an AVIF with transparency': (image) => image.ensureAlpha(0.5).avif({ effort: 0 }),
  'a TIFF whose directory is at its end': (image) => image.tiff({ compression: 'lzw' }),
  'a tiled TIFF of JPEGs': (image) => image.tiff({ compression: 'jpeg', tile: true, tileWidth: 64, tileHeight: 64 }),
};

const TIFFS: Record<string, Parameters<typeof tiffFile>[1]> = {
  raw: {},
  tiled: { tiled: true },
  planar: { planar: true },
  '16-bit': { bits: 16 },
  BigTIFF: { big: true },
  Deflate: { compression: 'deflate' },
  'tiled Deflate': { tiled: true, compression: 'deflate' },
};

/** At each per cent, and each of the last bytes. */
function cutsOf(file: Buffer): Buffer[] {
  const lengths = Array.from({ length: 99 }, (_, index) => Math.floor((file.length * (index + 1)) / 100));
  const last = Array.from({ length: 24 }, (_, index) => file.length - 1 - index);
  return [...new Set([...lengths, ...last])].map((length) => Buffer.from(file.subarray(0, length)));
}

/** Lengths of the cuts that are labeled with other pixels than the whole file's, and of all that are labeled. */
async function tryCuts(file: Buffer): Promise<{ wrong: number[]; labeled: number[]; codes: Set<string> }> {
  const { pixels } = await decoded(file, WHOLE);
  const outcome = { wrong: [] as number[], labeled: [] as number[], codes: new Set<string>() };
  for (const cut of cutsOf(file)) {
    const image = await decodeImage(cut, WHOLE);
    if (image instanceof ImageFailure) outcome.codes.add(image.code);
    else outcome.labeled.push(cut.length);
    if (!(image instanceof ImageFailure) && !Buffer.from(pixels).equals(image.pixels)) outcome.wrong.push(cut.length);
  }
  return outcome;
}

describe('cut off at each percent, an image is labeled only when it has all its pixels:', () => {
  // CMYK takes a second of conversion to try, and its blocks are those of 4:4:4.
  test.each(Object.entries(ENCODERS).filter(([what]) => !what.includes('CMYK')))('%s', async (_what, encode) => {
    const file = await encode(sharp(photo)).toBuffer();
    const { wrong, labeled, codes } = await tryCuts(file);
    expect(wrong).toEqual([]);
    // What a PNG has behind its pixels is twelve bytes, and nothing else has more.
    expect(labeled.every((length) => length >= file.length - 12)).toBe(true);
    expect([...codes]).toEqual(['corrupt']);
  });

  test.each(Object.entries(TIFFS))('a %s TIFF', async (_kind, kind) => {
    const { wrong, labeled, codes } = await tryCuts(tiffFile({ ...SIZE, pixels: raw }, kind));
    expect({ wrong, labeled, codes: [...codes] }).toEqual({ wrong: [], labeled: [], codes: ['corrupt'] });
  });

  test.each([
    ['a TIFF of several pages', async () => tiffFile({ ...SIZE, pixels: raw }, { pages: 3 })],
    ['an animated GIF', () => readPhoto('rocket-animated.gif')],
    [
      'an animated WebP',
      async () =>
        sharp(await readPhoto('rocket-animated.gif'), { animated: true })
          .webp()
          .toBuffer(),
    ],
  ])('%s, once its first picture is complete', async (_what, make) => {
    const file = await make();
    const { wrong, labeled, codes } = await tryCuts(file);
    expect({ wrong, codes: [...codes] }).toEqual({ wrong: [], codes: ['corrupt'] });
    const first = Math.min(...labeled);
    expect(cutsOf(file).filter(({ length }) => length > first)).toHaveLength(labeled.length - 1);
    expect(first).toBeLessThan(file.length / 2);
    expect(first).toBeGreaterThan(file.length / 4);
  });
});

test.each(['a baseline JPEG', 'a JPEG of 4:4:4', 'a CMYK JPEG', 'a grey JPEG', 'a progressive JPEG'])(
  '%s is whole without its end mark',
  async (what) => {
    const file = (await ENCODERS[what]?.(sharp(photo)).toBuffer()) as Buffer;
    const withoutMark = file.subarray(0, file.lastIndexOf(Buffer.from([0xff, 0xd9])));
    expect(file.length - withoutMark.length).toBe(JPEG_END_BYTES);
    expect((await decoded(withoutMark)).pixels).toEqual((await decoded(file)).pixels);
  },
);

test('a progressive JPEG without its last scans is corrupt, even when it is cut between scans', async () => {
  const file = await sharp(photo).jpeg({ progressive: true }).toBuffer();
  const scans = [];
  for (let at = file.indexOf('ffda', 'hex'); at !== -1; at = file.indexOf('ffda', at + 2, 'hex')) scans.push(at);
  expect(scans.length).toBeGreaterThan(5);
  for (const at of scans.slice(1)) expect(await decodeCode(file.subarray(0, at))).toBe('corrupt');
});

describe('TIFF strips of garbage:', () => {
  const garbage = Buffer.alloc(5_000, 0x5a);

  test.each([
    ['Deflate', 8, 'corrupt'],
    ['LZW', 5, 'corrupt'],
    ['JPEG', 7, 'corrupt'],
    ['LZMA', 34_925, 'unsupported_format'],
    ['ZSTD', 50_000, 'unsupported_format'],
  ])('%s (%d) is %s', async (_name, number, code) => {
    for (const tiled of [false, true]) {
      const file = tiffFile({ ...SIZE, pixels: raw }, { tiled, compression: { number, data: garbage } });
      expect(await decodeCode(file)).toBe(code);
    }
  });
});
