import { expect, test } from '@jest/globals';
import type { ImageRef } from '../../shared/contract/message.ts';
import type { SourceRow } from '../../shared/jobs/sources/source-row.ts';
import { uniqueImages } from '../../shared/jobs/unique-images.ts';

async function* images(...refs: ImageRef[]): AsyncGenerator<SourceRow> {
  for (const [index, image] of refs.entries()) yield { line: index + 1, image };
}

async function* numbered(count: number): AsyncGenerator<SourceRow> {
  for (let index = 0; index < count; index++) {
    yield { line: index + 1, image: { id: `row-${index}`, url: `https://host/${index % 1_000}.jpg` } };
  }
}

test('leaves out exact repetitions, and tells of each', async () => {
  let repetitions = 0;
  const a = { id: 'a', url: 'https://host/a.jpg' };
  const bare = { id: 'https://host/b.jpg', url: 'https://host/b.jpg' };
  const unique = await Array.fromAsync(uniqueImages(images(a, bare, a, bare, a), () => repetitions++));
  expect(unique).toEqual([
    { line: 1, image: a },
    { line: 2, image: bare },
  ]);
  expect(repetitions).toBe(3);
});

test('one URL may have several ids', async () => {
  const url = 'https://host/a.jpg';
  expect(await Array.fromAsync(uniqueImages(images({ id: '1', url }, { id: '2', url })))).toHaveLength(2);
});

test.each([
  [
    { id: 'a', url: 'https://host/a.jpg' },
    { id: 'a', url: 'https://host/b.jpg' },
  ],
  [
    { id: 'https://host/a', url: 'https://host/a' },
    { id: 'https://host/a', url: 'https://host/b' },
  ],
  [
    { id: 'https://host/a', url: 'https://host/b' },
    { id: 'https://host/a', url: 'https://host/a' },
  ],
])('an id for two URLs makes the later row invalid: %j, %j', async (first, second) => {
  const [row, invalid] = await Array.fromAsync(uniqueImages(images(first, second)));
  expect(row).toEqual({ line: 1, image: first });
  expect(invalid).toMatchObject({ line: 2, problem: expect.stringContaining('expected each id for one URL only') });
});

test('passes invalid rows on', async () => {
  const invalid = { line: 1, text: 'nonsense', problem: 'expected a URL' };
  async function* rows() {
    yield invalid;
  }
  expect(await Array.fromAsync(uniqueImages(rows()))).toEqual([invalid]);
});

test('keeps all of many different ids', async () => {
  let count = 0;
  for await (const _ of uniqueImages(numbered(200_000))) count++;
  expect(count).toBe(200_000);
});
