import { hash } from 'node:crypto';
import type { ImageRef } from '../../shared/contract/message.ts';

type Drawn = { image: ImageRef; lot: string };

/**
 * Draws images at random: those with the smallest SHA-256 of seed and id, with equal probability. The same seed draws
 * the same images in any order, and mostly the same ones from a slightly longer list.
 *
 * @param most at least 1
 * @returns in the order of the source
 */
export async function sampleImages(images: AsyncIterable<ImageRef>, most: number, seed: number): Promise<ImageRef[]> {
  const drawn: Drawn[] = [];
  const order = new Map<ImageRef, number>();
  let index = 0;
  for await (const image of images) {
    const lot = hash('sha256', `${seed}\n${image.id}`);
    const last = drawn.at(-1);
    index++;
    if (drawn.length === most && last !== undefined && lot >= last.lot) continue;
    if (drawn.length === most) order.delete((drawn.pop() as Drawn).image);
    drawn.splice(placeOf(lot, drawn), 0, { image, lot });
    order.set(image, index);
  }
  return [...order].toSorted(([, one], [, other]) => one - other).map(([image]) => image);
}

function placeOf(lot: string, drawn: readonly Drawn[]): number {
  let [from, to] = [0, drawn.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((drawn[middle] as Drawn).lot < lot) from = middle + 1;
    else to = middle;
  }
  return from;
}
