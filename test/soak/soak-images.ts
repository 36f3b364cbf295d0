import expectedLabels from '../../samples/expected.json' with { type: 'json' };
import type { ImageRef } from '../../shared/contract/message.ts';

/** Of the misbehaving image server: every way through the stages, and out of them too early. */
const PATHS = [
  ...Object.keys(expectedLabels).flatMap((photo) => [`/${photo}`, `/${photo}`]),
  '/wrong-type',
  '/gzip',
  '/redirect/2',
  '/redirect/6',
  '/photos/truncated.jpg',
  '/photos/not-an-image.jpg',
  '/page',
  '/empty',
  '/status/404',
  '/status/503',
  '/reset',
  '/truncated',
  '/large',
  '/large?announced=no',
  '/gzip-bomb',
  '/not-gzip',
  '/half-gzip',
  '/gibberish',
];

/** One in so many never answers: its fetch ends by its time-out, and there are many others meanwhile. */
const HANG_EVERY = 250;

/** @param first number of the first image; each thousand is like the one before */
export function soakImages(first: number, count: number, host: string): ImageRef[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    const path = number % HANG_EVERY === 0 ? '/hang' : PATHS[number % PATHS.length];
    return { id: `image-${number}`, url: `http://${host}${path}` };
  });
}
