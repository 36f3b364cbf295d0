import { describe, expect, test } from '@jest/globals';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { MAX_IMAGE_PIXELS } from '../../shared/contract/limits.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { decodeCode, decoded, FORMAT, greyPng, lyingJpeg, readPhoto } from './pictures.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';

/** What stands at the beginning of files that nobody should send. */
const BYTES: [what: string, bytes: Buffer, code: string][] = [
  ['no bytes', Buffer.alloc(0), 'empty'],
  ['one byte', Buffer.from('x'), 'not_an_image'],
  ['a thousand zeros', Buffer.alloc(1_000), 'not_an_image'],
  ['a web page', Buffer.from('<!doctype html><title>Not here</title>'), 'not_an_image'],
  ['JSON', Buffer.from('{"message":"not found"}'), 'not_an_image'],
  ['PDF', Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF'), 'not_an_image'],
  ['PostScript', Buffer.from('%!PS-Adobe-3.0\nshowpage\n'), 'not_an_image'],
  ['a ZIP', Buffer.from('PK\x03\x04..............................'), 'not_an_image'],
  ['an MP4', isoFile('isom'), 'not_an_image'],
  ["libvips' own format", Buffer.from([0xb6, 0xa6, 0xf2, 0x08, ...Buffer.alloc(100)]), 'not_an_image'],
  ['PPM', Buffer.from('P6 1 1 255 abc'), 'not_an_image'],
  [
    'an ImageMagick script',
    Buffer.from('push graphic-context\nviewbox 0 0 640 480\npop graphic-context'),
    'not_an_image',
  ],
  ['SVG', Buffer.from(SVG), 'unsupported_format'],
  ['SVG behind an XML header', Buffer.from(`<?xml version="1.0"?>\n<!-- by hand -->\n${SVG}`), 'unsupported_format'],
  ['BMP', bmpHeader(), 'unsupported_format'],
  ['ICO', Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 0, 0]), 'unsupported_format'],
  [
    'JPEG 2000',
    Buffer.from('0000000c6a5020200d0a870a00000014667479706a703220000000006a703220', 'hex'),
    'unsupported_format',
  ],
  ['JPEG XL', Buffer.from('ff0a000102030405060708', 'hex'), 'unsupported_format'],
  ['a JPEG of four bytes', Buffer.from('ffd8ffe0', 'hex'), 'corrupt'],
  ['a PNG of its signature alone', Buffer.from('89504e470d0a1a0a', 'hex'), 'corrupt'],
  ['a GIF of its signature alone', Buffer.from('GIF89a'), 'corrupt'],
  ['a WebP of its signature alone', Buffer.from('RIFF\x10\0\0\0WEBPVP8 '), 'corrupt'],
];

function isoFile(brand: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, 0, 0, 24]),
    Buffer.from(`ftyp${brand}\0\0\0\0mif1${brand}`),
    Buffer.alloc(100),
  ]);
}

function bmpHeader(): Buffer {
  const bytes = Buffer.alloc(70);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  return bytes;
}

describe('refuses by content, not by name:', () => {
  test.each(BYTES)('%s', async (_what, bytes, code) => {
    expect(await decodeCode(bytes)).toBe(code);
  });

  test('a HEIC header, for which there is no decoder', async () => {
    expect(await decodeCode(isoFile('heic'))).toMatch(/^(unsupported_format|corrupt)$/);
  });

  test('the sample that is a text file', async () => {
    expect(await decodeCode(await readPhoto('not-an-image.jpg'))).toBe('not_an_image');
  });
});

describe('calls corrupt', () => {
  test('the sample that is cut off', async () => {
    expect(await decodeCode(await readPhoto('truncated.jpg'))).toBe('corrupt');
  });

  test.each(['coffee.jpg', 'chelsea-alpha.png', 'coffee.webp', 'chelsea.avif', 'shuttle-model.tiff'])(
    '%s without its second half',
    async (name) => {
      const bytes = await readPhoto(name);
      expect(await decodeCode(bytes.subarray(0, bytes.length / 2))).toBe('corrupt');
    },
  );

  test('a GIF that ends in its first frame', async () => {
    const bytes = await readPhoto('rocket-animated.gif');
    expect(await decodeCode(bytes.subarray(0, 4_000))).toBe('corrupt');
  });

  test('a PNG that is shorter than its header says', async () => {
    expect(await decodeCode(greyPng(5_000, 5_000, Buffer.alloc(1_000)))).toBe('corrupt');
  });
});

test('a complete JPEG with fewer pixels than its header says is decoded as in browsers: the rest is grey', async () => {
  const { pixels, facts } = await decoded(lyingJpeg(await readPhoto('chelsea.jpg'), 2_000, 2_000));
  expect(facts).toMatchObject({ width: 2_000, height: 2_000 });
  expect(new Set(pixels.subarray(-1_000))).toEqual(new Set([128]));
});

describe('calls too_many_pixels, without decoding them,', () => {
  test('a PNG of 64,000 x 64,000 in less than a kilobyte', async () => {
    const bytes = greyPng(64_000, 64_000, Buffer.alloc(64_000));
    expect(bytes.length).toBeLessThan(1_000);
    let image: unknown;
    const spentMs = await cpuMsOf(async () => {
      image = await decodeImage(bytes, FORMAT);
    });
    expect(spentMs).toBeLessThan(1_000);
    expect(image).toMatchObject({ code: 'too_many_pixels', message: expect.stringContaining('50 megapixels') });
  });

  test('a JPEG whose header lies', async () => {
    expect(await decodeCode(lyingJpeg(await readPhoto('chelsea.jpg'), 65_500, 65_500))).toBe('too_many_pixels');
  });

  test('one row more than the limit; the limit itself is accepted', async () => {
    const side = 5_000;
    const rows = MAX_IMAGE_PIXELS / side;
    expect(await decodeCode(greyPng(side, rows, Buffer.alloc((side + 1) * rows)))).toBe('ok');
    expect(await decodeCode(greyPng(side, rows + 1, Buffer.alloc((side + 1) * (rows + 1))))).toBe('too_many_pixels');
  });
});

test.each([
  [1, 10_000_000],
  [10_000_000, 1],
])('a strip of %d x %d pixels takes little time and memory', async (width, height) => {
  const bytes = greyPng(width, height, Buffer.alloc((width + 1) * height));
  const before = process.memoryUsage.rss();
  const spentMs = await cpuMsOf(async () => expect(await decodeCode(bytes)).toBe('ok'));
  expect(spentMs).toBeLessThan(5_000);
  expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
});

test('a failure says what was expected', async () => {
  for (const [, bytes] of BYTES) {
    const error = await decodeImage(bytes, FORMAT);
    expect(error).toBeInstanceOf(ImageFailure);
    expect((error as ImageFailure).stage).toBe('decode');
    expect((error as ImageFailure).retryable).toBe(false);
    expect((error as ImageFailure).message).toMatch(/expected|corrupt/i);
  }
});
