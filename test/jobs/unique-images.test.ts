import { expect, test } from '@jest/globals';
import { parseExactJson } from '../../shared/contract/exact-json.ts';
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

const URL = 'https://host/a.jpg';

function idsOf(rows: readonly SourceRow[]): string[] {
  return rows.map((row) => ('image' in row ? row.image.id : row.problem));
}

test('a URL that stands again with other meta is kept, with an id of its own that is the same each time', async () => {
  const row = (title: string): ImageRef => ({ id: URL, url: URL, meta: { title } });
  const read = async () => {
    const counts = { repetitions: 0, ownIds: 0 };
    const unique = await Array.fromAsync(
      uniqueImages(
        images(row('a'), row('b'), row('c'), row('b'), row('a')),
        () => counts.repetitions++,
        () => counts.ownIds++,
      ),
    );
    return { unique, counts };
  };
  const { unique, counts } = await read();
  expect(counts).toEqual({ repetitions: 2, ownIds: 2 });
  expect(unique.map((kept) => ('image' in kept ? kept.image.meta : undefined))).toEqual([
    { title: 'a' },
    { title: 'b' },
    { title: 'c' },
  ]);
  expect(new Set(idsOf(unique)).size).toBe(3);
  expect(idsOf(unique)[1]).toMatch(/^https:\/\/host\/a\.jpg#[0-9a-f]{16}$/);
  expect(await read()).toEqual({ unique, counts });
});

test('numbers of meta that differ in digits that JavaScript does not keep are different', async () => {
  const row = (id: string): ImageRef => parseExactJson(`{"id":"${URL}","url":"${URL}","meta":{"n":${id}}}`) as ImageRef;
  const unique = await Array.fromAsync(uniqueImages(images(row('1234567890123456789'), row('1234567890123456790'))));
  expect(unique).toHaveLength(2);
});

test('an id for one URL with other meta makes the later row invalid', async () => {
  const [first, second] = [1, 2].map((n) => ({ id: 'a', url: URL, meta: { n } }));
  const rows = await Array.fromAsync(uniqueImages(images(first as ImageRef, second as ImageRef)));
  expect(rows).toMatchObject([{ image: first }, { line: 2, problem: expect.stringContaining('or with other meta') }]);
});

test('a URL that is too long for an id of its own is refused', async () => {
  const url = `https://host/${'x'.repeat(2_030)}`;
  const rows = await Array.fromAsync(
    uniqueImages(images({ id: url, url, meta: { n: 1 } }, { id: url, url, meta: { n: 2 } })),
  );
  expect(rows[1]).toMatchObject({ line: 2, problem: expect.stringContaining('expected an id') });
});
