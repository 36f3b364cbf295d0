import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { manyScansJpeg } from './many-scans-jpeg.ts';
import { rawTiff } from './raw-tiff.ts';

export const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const;
export type Format = (typeof FORMATS)[number];

const PHOTOS = join(import.meta.dirname, '../../samples/photos');

/** A sample photo of each format, whose label is known. */
export const PHOTO_OF: Record<Format, string> = {
  jpeg: 'coffee.jpg',
  png: 'chelsea-alpha.png',
  webp: 'coffee.webp',
  gif: 'rocket-animated.gif',
  avif: 'chelsea.avif',
  tiff: 'shuttle-model.tiff',
};

/** What each of these does to the photo of a format, or to a picture that it has made. */
export const SPOILED = {
  /** A twentieth of the file: the header, and next to no picture. */
  cut: (format: Format) => cut(format, 0.05),
  half: (format: Format) => cut(format, 0.5),
  'one-byte': async (format: Format) => (await photo(format)).subarray(0, 1),
  /** The first bytes, by which a format is known, and then nothing that makes sense. */
  'only-magic': async (format: Format) =>
    Buffer.concat([(await photo(format)).subarray(0, 16), Buffer.alloc(5_000, 7)]),
  /** 81 megapixels that take a few kilobytes, or a header that says so. */
  'pixel-bomb': (format: Format) => pixelBomb(format),
} as const satisfies Record<string, (format: Format) => Promise<Buffer>>;

/** What takes long to decode, or is no format that is taken; by name. */
export const ODDITIES = {
  'many-scans': async () => manyScansJpeg(5_000),
  'raw-tiff': async () => rawTiff(300),
  'cut-raw-tiff': async () => rawTiff(300, 0.5),
  'huge-ztxt': () => pngWithTexts({ chunks: 100, bytesEach: 50_000_000 }),
  svg: async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9"/></svg>'),
  pdf: async () => Buffer.from('%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n'),
  heic: async () => heifOf('heic'),
} as const satisfies Record<string, () => Promise<Buffer>>;

export async function photo(format: Format): Promise<Buffer> {
  return readFile(join(PHOTOS, PHOTO_OF[format]));
}

async function cut(format: Format, share: number): Promise<Buffer> {
  const whole = await photo(format);
  return whole.subarray(0, Math.floor(whole.length * share));
}

const BOMB_SIDE = 9_000;

/** GIF and AVIF would take minutes to encode: a small picture gets another size in its header. */
async function pixelBomb(format: Format): Promise<Buffer> {
  if (format === 'gif') return resized(await blank(8).gif().toBuffer(), gifSizes, (side) => uint16le(side));
  if (format === 'avif') return resized(await blank(64).avif().toBuffer(), avifSizes, (side) => uint32be(side));
  const encode = {
    jpeg: (image: Sharp) => image.jpeg(),
    png: (image: Sharp) => image.png(),
    webp: (image: Sharp) => image.webp({ effort: 0 }),
    tiff: (image: Sharp) => image.tiff({ compression: 'deflate' }),
  }[format];
  return encode(blank(BOMB_SIDE)).toBuffer();
}

function blank(side: number): Sharp {
  return sharp({ create: { width: side, height: side, channels: 3, background: 'grey' } });
}

function resized(image: Buffer, places: (image: Buffer) => number[], written: (side: number) => Buffer): Buffer {
  for (const place of places(image)) written(BOMB_SIDE).copy(image, place);
  return image;
}

/** Width and height of the screen, and of the first frame. */
function gifSizes(image: Buffer): number[] {
  const frame = image.indexOf(0x2c, 13 + 3 * 2 ** (((image[10] ?? 0) & 7) + 1));
  return [6, 8, frame + 5, frame + 7];
}

/** Width and height in each `ispe` box. */
function avifSizes(image: Buffer): number[] {
  const box = image.indexOf('ispe');
  return [box + 8, box + 12];
}

function uint16le(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32be(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A small picture with compressed texts that become `chunks` times `bytesEach`. */
export async function pngWithTexts({ chunks, bytesEach }: { chunks: number; bytesEach: number }): Promise<Buffer> {
  const image = await blank(300).png().toBuffer();
  const text = deflateSync(Buffer.alloc(bytesEach, 'a'));
  const texts = Array.from({ length: chunks }, (_, index) => pngChunk('zTXt', Buffer.from(`key${index}\0\0`), text));
  const afterHeader = 8 + 25;
  return Buffer.concat([image.subarray(0, afterHeader), ...texts, image.subarray(afterHeader)]);
}

function pngChunk(type: string, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat([Buffer.from(type), ...parts]);
  return Buffer.concat([uint32be(content.length - 4), content, uint32be(crc32(content))]);
}

/** The beginning of a HEIF file of a brand; sharp's binaries have no encoder for HEIC. */
function heifOf(brand: string): Buffer {
  const box = Buffer.concat([Buffer.from(`ftyp${brand}`), Buffer.alloc(4), Buffer.from(`mif1${brand}`)]);
  return Buffer.concat([uint32be(box.length + 4), box, Buffer.alloc(500)]);
}
