import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { makeThumbnail } from '../../shared/classifier/decode/thumbnail.ts';

const PHOTOS = join(import.meta.dirname, '../../samples/photos');

test.each(['coffee.jpg', 'chelsea.avif', 'rocket-animated.gif', 'coffee-cmyk.jpg', 'phone-orientation-6.jpg'])(
  'a thumbnail of %s is a small square',
  async (photo) => {
    const thumbnail = (await makeThumbnail(await readFile(join(PHOTOS, photo)))) as Buffer;
    expect(await sharp(thumbnail).metadata()).toMatchObject({
      format: 'webp',
      width: 240,
      height: 240,
      hasAlpha: false,
    });
    expect(thumbnail.length).toBeLessThan(25_000);
  },
);

test.each([
  ['of no bytes', Buffer.alloc(0), 'empty'],
  ['of an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'unsupported_format'],
  ['of a text', Buffer.from('no image'), 'not_an_image'],
  ['of half a photo', (await readFile(join(PHOTOS, 'coffee.jpg'))).subarray(0, 30_000), 'corrupt'],
])('there is no thumbnail %s', async (_what, bytes, code) => {
  expect(await makeThumbnail(bytes)).toMatchObject({ code });
});
