import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { centre, decoded, difference, FORMAT, readPhoto } from './pictures.ts';

describe('decodes the sample', () => {
  test.each([
    ['astronaut.jpg', 'jpeg', 512, 512],
    ['chelsea.jpg', 'jpeg', 351, 300],
    ['chelsea-alpha.png', 'png', 351, 300],
    ['chelsea-grey.jpg', 'jpeg', 351, 300],
    ['chelsea.avif', 'avif', 351, 300],
    ['coffee.jpg', 'jpeg', 600, 400],
    ['coffee.webp', 'webp', 600, 400],
    ['coffee-16-bit.png', 'png', 240, 160],
    ['coffee-cmyk.jpg', 'jpeg', 300, 200],
    ['phone-orientation-6.jpg', 'jpeg', 3024, 4032],
    ['rocket.jpg', 'jpeg', 640, 427],
    ['rocket-animated.gif', 'gif', 320, 214],
    ['shuttle-model.tiff', 'tiff', 212, 280],
  ])('%s', async (name, format, width, height) => {
    const bytes = await readPhoto(name);
    const { pixels, facts } = await decoded(bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(facts).toEqual({ width, height, format, bytes: bytes.length, sha256 });
    expect(pixels).toHaveLength(224 * 224 * 3);
  });
});

/** What has to be done to an upright picture so that its EXIF orientation undoes it. */
const STORED_AS: Record<number, (upright: Buffer) => Promise<Buffer>> = {
  1: async (upright) => upright,
  2: (upright) => sharp(upright).flop().png().toBuffer(),
  3: (upright) => sharp(upright).rotate(180).png().toBuffer(),
  4: (upright) => sharp(upright).flip().png().toBuffer(),
  5: async (upright) =>
    sharp(await sharp(upright).rotate(90).png().toBuffer())
      .flop()
      .png()
      .toBuffer(),
  6: (upright) => sharp(upright).rotate(270).png().toBuffer(),
  7: async (upright) =>
    sharp(await sharp(upright).rotate(270).png().toBuffer())
      .flop()
      .png()
      .toBuffer(),
  8: (upright) => sharp(upright).rotate(90).png().toBuffer(),
};

describe('turns upright the EXIF orientation', () => {
  const jpeg = (image: Sharp) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' });
  const tiff = (image: Sharp) => image.tiff({ compression: 'none' });
  const webp = (image: Sharp) => image.webp({ lossless: true, effort: 0 });

  // Large images are resized before they are cropped, small ones after.
  describe.each([
    ['of small images', { width: 480, height: 320 }, [jpeg, tiff, webp]],
    ['of large images', { width: 1_500, height: 1_000 }, [jpeg]],
  ])('%s', (_size, size, encoders) => {
    test.each(Object.entries(STORED_AS))('%s', async (orientation, stored) => {
      const upright = await sharp(await readPhoto('rocket.jpg'))
        .resize({ ...size, fit: 'fill' })
        .png()
        .toBuffer();
      const expected = await decoded(upright);
      const turned = await stored(upright);
      for (const encode of encoders) {
        const bytes = await encode(sharp(turned).withMetadata({ orientation: Number(orientation) })).toBuffer();
        const { pixels, facts } = await decoded(bytes);
        expect(facts).toMatchObject(size);
        expect(difference(pixels, expected.pixels)).toBeLessThan(1.5);
      }
    });
  });
});

describe('lays on white', () => {
  const size = { width: 300, height: 300 };
  const clear = sharp({ create: { ...size, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } });
  const halfRed = sharp({ create: { ...size, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } });

  test.each([
    ['a transparent PNG', () => clear.clone().png()],
    ['a transparent 16-bit PNG', () => clear.clone().toColourspace('rgb16').png()],
    ['a transparent grey PNG', () => clear.clone().toColourspace('b-w').png()],
    ['a transparent PNG with a palette', () => clear.clone().png({ palette: true })],
    ['a transparent WebP', () => clear.clone().webp()],
    ['a transparent GIF', () => clear.clone().gif()],
    ['a transparent TIFF', () => clear.clone().tiff({ compression: 'lzw' })],
    ['a transparent AVIF', () => clear.clone().avif({ effort: 0 })],
  ])('%s', async (_case, make) => {
    const image = await decoded(await make().toBuffer());
    for (const value of centre(image)) expect(value).toBeGreaterThanOrEqual(253);
  });

  test('half-transparent pixels, blended', async () => {
    const [red = 0, green = 0, blue = 0] = centre(await decoded(await halfRed.clone().png().toBuffer()));
    expect(red).toBe(255);
    expect(Math.abs(green - 127)).toBeLessThanOrEqual(2);
    expect(Math.abs(blue - 127)).toBeLessThanOrEqual(2);
  });
});

describe('gives 8-bit RGB for', () => {
  test('a grey photo: three equal channels', async () => {
    const { pixels } = await decoded(await readPhoto('chelsea-grey.jpg'));
    expect(pixels.every((value, at) => value === pixels[at - (at % 3)])).toBe(true);
  });

  test('a 16-bit photo: much the same as its 8-bit original', async () => {
    const eightBit = await decoded(await readPhoto('coffee.jpg'));
    const sixteenBit = await decoded(await readPhoto('coffee-16-bit.png'));
    expect(difference(sixteenBit.pixels, eightBit.pixels)).toBeLessThan(6);
  });

  test('a CMYK photo with its ICC profile: not inverted, much the same colours', async () => {
    const rgb = await decoded(await readPhoto('coffee.jpg'));
    const cmyk = await decoded(await readPhoto('coffee-cmyk.jpg'));
    expect(difference(cmyk.pixels, rgb.pixels)).toBeLessThan(15);
  });

  test('a CMYK photo without a profile', async () => {
    const white = sharp({ create: { width: 300, height: 300, channels: 3, background: 'white' } });
    const image = await decoded(await white.toColourspace('cmyk').jpeg().toBuffer());
    for (const value of centre(image)) expect(value).toBeGreaterThan(240);
  });

  test('one pixel', async () => {
    const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#102030' } });
    const { pixels, facts } = await decoded(await pixel.png().toBuffer());
    expect(facts).toMatchObject({ width: 1, height: 1 });
    expect(
      difference(
        pixels,
        Uint8Array.from(pixels, (_, at) => [0x10, 0x20, 0x30][at % 3] ?? 0),
      ),
    ).toBeLessThan(1);
  });

  test.each([
    [1, 10_000],
    [10_001, 1],
    [2, 9_999],
    [3, 3],
  ])('a strip of %d x %d pixels', async (width, height) => {
    const strip = sharp({ create: { width, height, channels: 3, background: 'white' } });
    expect(centre(await decoded(await strip.png().toBuffer()))).toEqual([255, 255, 255]);
  });
});

describe('of an animation takes the first frame:', () => {
  test('GIF', async () => {
    const still = await decoded(await readPhoto('rocket.jpg'));
    const animation = await decoded(await readPhoto('rocket-animated.gif'));
    expect(difference(animation.pixels, still.pixels)).toBeLessThan(12);
  });

  test('WebP', async () => {
    const frames = await Promise.all(
      ['rocket.jpg', 'coffee.jpg'].map(async (name) =>
        sharp(await readPhoto(name))
          .resize(320, 214)
          .png()
          .toBuffer(),
      ),
    );
    const bytes = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer();
    const animation = await decoded(bytes);
    const still = await decoded(frames[0] as Buffer);
    expect(animation.facts).toMatchObject({ width: 320, height: 214, format: 'webp' });
    expect(difference(animation.pixels, still.pixels)).toBeLessThan(1);
  });
});

test.each([200, 2_000])('keeps the centre square, of %d pixels', async (side) => {
  // A red and a blue bar at the sides of a green square.
  const bar = (background: string) => sharp({ create: { width: side / 2, height: side, channels: 3, background } });
  const wide = await sharp({ create: { width: 2 * side, height: side, channels: 3, background: 'lime' } })
    .composite([
      { input: await bar('red').png().toBuffer(), left: 0, top: 0 },
      { input: await bar('blue').png().toBuffer(), left: 1.5 * side, top: 0 },
    ])
    .png()
    .toBuffer();
  const { pixels } = await decoded(wide);
  expect(
    difference(
      pixels,
      Uint8Array.from(pixels, (_, at) => (at % 3 === 1 ? 255 : 0)),
    ),
  ).toBeLessThan(1);
});

test('gives the size that the model expects', async () => {
  const image = await decodeImage(await readPhoto('coffee.jpg'), { ...FORMAT, inputSize: 64, crop: 1 });
  expect(image).toHaveProperty('pixels.length', 64 * 64 * 3);
});
