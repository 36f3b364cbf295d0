import { expect, test } from '@jest/globals';
import type { EmbeddedLine } from '../../../cli/embeddings/embedded-lines.ts';
import { cosine } from '../../../cli/similar/cosine.ts';
import { MAX_IMAGES_FOR_PAIRS, NearDuplicates } from '../../../cli/similar/near-duplicates.ts';
import { result } from '../../../testkit/job-outcomes.ts';

const LENGTH = 6;

function lineOf(id: string): EmbeddedLine {
  return { ...result(id), embedding: '', trunk: '0123456789abcdef' };
}

/** The same numbers on each run, spread over all directions. */
function vector(number: number): Float32Array {
  return Float32Array.from({ length: LENGTH }, (_, at) => Math.sin((number + 1) * (at + 1.37) * 12.9898));
}

test('finds exactly the pairs of a full comparison, across blocks', () => {
  const vectors = Array.from({ length: 2_100 }, (_, number) => vector(number));
  const images = new NearDuplicates();
  vectors.forEach((values, number) => {
    images.add(lineOf(`${number}`), values);
  });
  const expected: string[] = [];
  for (const [one, values] of vectors.entries()) {
    for (let other = one + 1; other < vectors.length; other++) {
      if (cosine(values, vectors[other] as Float32Array) >= 0.99) expected.push(`${one} ${other}`);
    }
  }
  expect(expected.length).toBeGreaterThan(10);
  const { pairs, found } = images.pairs(0.99, 1_000_000, () => {});
  expect(pairs.map(({ item: { one, other } }) => `${one.id} ${other.id}`).sort()).toEqual(expected.sort());
  expect(found).toBe(expected.length);
  const scores = pairs.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((one, other) => other - one));
  expect(images.pairs(0.99, 5, () => {})).toMatchObject({ found, pairs: pairs.slice(0, 5) });
});

test('two lines of the same image are not a pair', () => {
  const images = new NearDuplicates();
  images.add(lineOf('a'), vector(1));
  images.add(lineOf('a'), vector(1));
  expect(images.pairs(0.5, 10, () => {})).toEqual({ pairs: [], found: 0 });
});

test('too many images for a full comparison are refused, with what to do', () => {
  const images = new NearDuplicates();
  const values = Float32Array.of(1);
  for (let number = 0; number < MAX_IMAGES_FOR_PAIRS; number++) images.add(lineOf(`${number}`), values);
  expect(() => images.add(lineOf('one more'), values)).toThrow(/more than 50000 images with an embedding.*sha256/);
});
