import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

const PHOTOS = join(import.meta.dirname, '../../samples/photos');
const NAMES = ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg', 'astronaut.jpg'];

/** What the benchmark decodes: kinds of pictures by their names. */
export const KINDS = {
  '640x427 JPEG': (photo: Sharp) => photo.resize(640, 427, COVER).jpeg(WEB),
  '500x375 JPEG': (photo: Sharp) => photo.resize(500, 375, COVER).jpeg(WEB),
  '1600x1200 JPEG': (photo: Sharp) => photo.resize(1_600, 1_200, COVER).jpeg(WEB),
  '4000x3000 JPEG': (photo: Sharp) => photo.resize(4_000, 3_000, COVER).jpeg(WEB),
  '640x427 PNG': (photo: Sharp) => photo.resize(640, 427, COVER).png(),
  '640x427 WebP': (photo: Sharp) => photo.resize(640, 427, COVER).webp(WEB),
} as const;

export type Kind = keyof typeof KINDS;
/** Ordinary web images: what all workers are measured with. */
export const BASELINE: Kind = '640x427 JPEG';
export const LARGE: Kind = '4000x3000 JPEG';

const COVER = { fit: 'cover' } as const;
/** What cameras and content systems write. */
const WEB = { quality: 85 } as const;

/** The photos of `samples/` as one kind of picture. */
export function picturesOf(kind: Kind): Promise<Buffer[]> {
  return Promise.all(NAMES.map(async (name) => KINDS[kind](sharp(await readFile(join(PHOTOS, name)))).toBuffer()));
}
