import { expect, test } from '@jest/globals';
import { sampleImages } from '../../cli/enqueue/sample-images.ts';
import type { ImageRef } from '../../shared/contract/message.ts';

function image(index: number): ImageRef {
  return { id: `row-${index}`, url: `https://host.example/${index}.jpg` };
}

async function* images(count: number): AsyncGenerator<ImageRef> {
  for (let index = 0; index < count; index++) yield image(index);
}

test('draws the requested number, each once, in the order of the source', async () => {
  const drawn = await sampleImages(images(1_000), 50, 3);
  const places = drawn.map(({ id }) => Number(id.slice('row-'.length)));
  expect(new Set(places).size).toBe(50);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
});

test('draws all images of a smaller source', async () => {
  expect(await sampleImages(images(3), 50, 3)).toEqual([image(0), image(1), image(2)]);
});

test('gives each place of a source the same chance', async () => {
  const drawn = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 500; seed++) {
    for (const { id } of await sampleImages(images(100), 10, seed)) {
      const tenth = Math.floor(Number(id.slice('row-'.length)) / 10);
      drawn[tenth] = (drawn[tenth] ?? 0) + 1;
    }
  }
  // 500 each are expected, give or take 22.
  for (const times of drawn) expect(Math.abs(times - 500)).toBeLessThan(120);
});
