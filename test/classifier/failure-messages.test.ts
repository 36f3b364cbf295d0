import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { decoded, FORMAT, lyingJpeg, readPhoto } from './pictures.ts';

const ROUNDS = 12;

/** Its code and message, or how many pixels it gave. */
async function outcomeOf(bytes: Buffer): Promise<string> {
  const image = await decodeImage(bytes, FORMAT);
  return image instanceof ImageFailure ? `${image.code}: ${image.message}` : `${image.pixels.length} bytes`;
}

/** A copy with other bytes in its middle. */
function damaged(file: Buffer): Buffer {
  const from = Math.floor(file.length / 3);
  return Buffer.from(file).fill(0x11, from, from + 2_000);
}

test('an image that fails in a batch has the same code and message as alone', async () => {
  const [photo, png, webp, avif, tiff] = (await Promise.all(
    ['coffee.jpg', 'chelsea-alpha.png', 'coffee.webp', 'chelsea.avif', 'shuttle-model.tiff'].map(readPhoto),
  )) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const images = [
    photo,
    photo.subarray(0, photo.length / 2),
    damaged(photo),
    lyingJpeg(photo, 2_000, 2_000),
    await sharp(photo)
      .jpeg({ progressive: true })
      .toBuffer()
      .then((file) => file.subarray(0, -500)),
    png,
    png.subarray(0, png.length / 2),
    damaged(png),
    damaged(webp),
    damaged(avif),
    damaged(tiff),
    lyingJpeg(photo, 65_500, 65_500),
    Buffer.from('no image'),
  ];
  const alone: string[] = [];
  for (const image of images) alone.push(await outcomeOf(image));
  expect(new Set(alone).size).toBeGreaterThan(5);
  expect(alone.join('\n')).not.toMatch(/unknown error|vips/i);
  for (let round = 0; round < ROUNDS; round++) {
    expect(await Promise.all(images.map(outcomeOf))).toEqual(alone);
  }
});

test("a message says what was expected and what was found, in the terms of the image's format", async () => {
  const [photo, png] = (await Promise.all(['coffee.jpg', 'chelsea-alpha.png'].map(readPhoto))) as [Buffer, Buffer];
  expect(await outcomeOf(photo.subarray(0, photo.length / 2))).toBe(
    'corrupt: expected a whole JPEG, got one that ends within its pixels',
  );
  expect(await outcomeOf(png.subarray(0, png.length / 2))).toBe(
    'corrupt: expected a whole PNG, got one that ends within its pixels',
  );
});

test('of an animated AVIF the first frame is decoded, whichever brand it names first', async () => {
  const still = await readPhoto('chelsea.avif');
  const sequence = Buffer.from(still);
  sequence.write('avis', 8, 'latin1');
  expect((await decoded(sequence)).pixels).toEqual((await decoded(still)).pixels);
});
