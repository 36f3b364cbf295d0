import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { createRandom, type Random } from './random.ts';

const PHOTOS = join(import.meta.dirname, '../../samples/photos');

/** What is mutated: thumbnails of a few kilobytes, and some photos as they are. */
export type Originals = { thumbnails: Buffer[]; photos: Buffer[] };

/** Each way in which the supported formats can hold a picture takes another way through the decoders. */
const STILLS: ((image: Sharp) => Sharp)[] = [
  (image) => image.jpeg(),
  (image) => image.jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).keepMetadata(),
  (image) => image.grayscale().jpeg(),
  (image) => image.toColourspace('cmyk').jpeg(),
  (image) => image.png(),
  (image) => image.png({ progressive: true }),
  (image) => image.png({ palette: true }),
  (image) => image.toColourspace('rgb16').png(),
  (image) => image.webp(),
  (image) => image.webp({ lossless: true }),
  (image) => image.ensureAlpha(0.5).webp(),
  (image) => image.gif(),
  (image) => image.avif({ effort: 0 }),
  (image) => image.ensureAlpha(0.5).avif({ effort: 0, lossless: true }),
  (image) => image.tiff({ compression: 'lzw' }),
  (image) => image.tiff({ compression: 'jpeg', tile: true, tileWidth: 32, tileHeight: 32 }),
  (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal', pyramid: true }),
];

const ANIMATIONS: ((image: Sharp) => Sharp)[] = [(image) => image.gif(), (image) => image.webp()];

const AS_THEY_ARE = [
  'phone-orientation-6.jpg',
  'coffee-cmyk.jpg',
  'coffee-16-bit.png',
  'coffee.webp',
  'chelsea.avif',
  'shuttle-model.tiff',
];

export async function readOriginals(): Promise<Originals> {
  const [still, animation, ...photos] = await Promise.all(
    ['chelsea.jpg', 'rocket-animated.gif', ...AS_THEY_ARE].map((name) => readFile(join(PHOTOS, name))),
  );
  const thumbnails = [
    ...STILLS.map((encode) => encode(sharp(still).resize(64, 48))),
    ...ANIMATIONS.map((encode) => encode(sharp(animation, { animated: true }).resize(48, 32))),
  ];
  return { thumbnails: await Promise.all(thumbnails.map((image) => image.toBuffer())), photos };
}

/** The mutated image of a seed and a number, which are all that it depends on. */
export function mutatedImage({ thumbnails, photos }: Originals, seed: number, number: number): Buffer {
  const random = createRandom(seed + number);
  const originals = random.happens(0.03) ? photos : thumbnails;
  let image: Buffer = Buffer.from(random.pick(originals));
  for (let mutations = random.between(1, 3); mutations > 0; mutations--) {
    image = random.pick(MUTATIONS)(image, random, random.pick(thumbnails));
  }
  return image;
}

type Mutation = (image: Buffer, random: Random, other: Buffer) => Buffer;

const MUTATIONS: Mutation[] = [
  function flipBits(image, random) {
    for (let flips = random.between(1, 16); flips > 0; flips--) {
      flip(image, position(image, random), random);
    }
    return image;
  },

  /** Most of what a decoder believes stands at the start. */
  function flipBitsOfTheHeader(image, random) {
    for (let flips = random.between(1, 4); flips > 0; flips--) {
      flip(image, Math.min(position(image, random), random.between(0, 200)), random);
    }
    return image;
  },

  function writeExtremeNumber(image, random) {
    if (image.length < 4) return image;
    const value = random.pick([0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]);
    const at = random.between(0, image.length - 4);
    if (random.happens(0.5)) image.writeUInt32BE(value, at);
    else image.writeUInt32LE(value, at);
    return image;
  },

  function fillWithOneByte(image, random) {
    const [from, to] = range(image, random);
    return image.fill(random.pick([0, 0xff, random.between(0, 255)]), from, to);
  },

  function cutOff(image, random) {
    return image.subarray(0, position(image, random));
  },

  function cutOut(image, random) {
    const [from, to] = range(image, random);
    return Buffer.concat([image.subarray(0, from), image.subarray(to)]);
  },

  function repeat(image, random) {
    const [from, to] = range(image, random);
    return Buffer.concat([image.subarray(0, to), image.subarray(from)]);
  },

  function goOnAsAnother(image, random, other) {
    return Buffer.concat([image.subarray(0, position(image, random)), other.subarray(position(other, random))]);
  },

  function insertOfAnother(image, random, other) {
    const at = position(image, random);
    return Buffer.concat([image.subarray(0, at), other.subarray(...range(other, random)), image.subarray(at)]);
  },
];

function position(image: Buffer, random: Random): number {
  return random.between(0, Math.max(0, image.length - 1));
}

function range(image: Buffer, random: Random): [from: number, to: number] {
  const from = position(image, random);
  return [from, from + random.between(0, Math.min(256, image.length - from))];
}

function flip(image: Buffer, at: number, random: Random): void {
  if (image.length > 0) image[at] = (image[at] as number) ^ (1 << random.between(0, 7));
}
