import { expect, test } from '@jest/globals';
import { preflight, SourceChangedError, scannedImages } from '../../shared/jobs/preflight.ts';
import type { RowSet } from '../../shared/jobs/row-set.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';

const PLAN = { job: 'cats', perMessage: 2 };

/** Rows of a source: a letter is an image, a dash a line that names none. */
async function* rows(text: string): AsyncGenerator<SourceRow> {
  for (const [index, letter] of [...text].entries()) {
    if (letter === '-') yield { line: index + 1, text: '-', problem: 'expected a URL' };
    else yield { line: index + 1, image: { id: letter, url: `https://host/${letter}.jpg` } };
  }
}

function rowsIn(set: RowSet): number[] {
  return Array.from({ length: 10 }, (_, row) => row).filter((row) => set.has(row));
}

async function idsOfSecondReading(first: string, second = first): Promise<string> {
  const found = await preflight(rows(first), PLAN, () => {});
  const images = await Array.fromAsync(scannedImages(rows(second), found));
  return images.map(({ id }) => id).join('');
}

test('counts images, messages, duplicates and invalid rows', async () => {
  const invalid: number[] = [];
  const found = await preflight(rows('ab-acbd'), PLAN, ({ line }) => invalid.push(line));
  expect(found).toMatchObject({ images: 4, messages: 2, repetitions: 2, invalid: 1 });
  expect(rowsIn(found.leftOut)).toEqual([2, 3, 5]);
  expect(found.hosts).toEqual(new Map([['host', 4]]));
  expect(invalid).toEqual([3]);
});

test('chooses the images per message when their number is known, and counts those messages', async () => {
  async function* numbered(): AsyncGenerator<SourceRow> {
    for (let line = 1; line <= 20_000; line++) {
      yield { line, image: { id: `${line}`, url: `https://host/${line}.jpg` } };
    }
  }
  const chosen = await preflight(numbered(), { job: 'cats', perMessage: undefined }, () => {});
  const told = await preflight(numbered(), { job: 'cats', perMessage: 64 }, () => {});
  expect(chosen).toMatchObject({ images: 20_000, perMessage: 64, messages: 313 });
  expect([told.messages, told.bytes, told.digest]).toEqual([chosen.messages, chosen.bytes, chosen.digest]);
});

test.each([
  ['abc', 'abc'],
  ['-aab-', 'ab'],
  ['aaaa', 'a'],
  ['a--', 'a'],
])('of %s, the second reading gives %s', async (source, ids) => {
  expect(await idsOfSecondReading(source)).toBe(ids);
});

test.each([
  ['a line less', 'abc', 'ab'],
  ['a line more', 'abc', 'abcd'],
  ['another line that is invalid', 'abc', 'a-c'],
])('a source that has %s at the second reading is detected', async (_what, first, second) => {
  await expect(idsOfSecondReading(first, second)).rejects.toThrow(SourceChangedError);
});

test('the second reading gives rows with other meta the same ids', async () => {
  async function* withMeta(): AsyncGenerator<SourceRow> {
    for (const [line, n] of [1, 2, 2, 1, 3].entries()) {
      yield { line, image: { id: 'https://host/a', url: 'https://host/a', meta: { n } } };
    }
  }
  const found = await preflight(withMeta(), PLAN, () => {});
  expect(found).toMatchObject({ images: 3, repetitions: 2 });
  expect([rowsIn(found.leftOut), rowsIn(found.ownIds)]).toEqual([
    [2, 3],
    [1, 4],
  ]);
  expect(found.first).toEqual({ id: 'https://host/a', url: 'https://host/a', meta: { n: 1 } });
  const images = await Array.fromAsync(scannedImages(withMeta(), found));
  expect(images.map(({ meta }) => meta?.['n'])).toEqual([1, 2, 3]);
  expect(new Set(images.map(({ id }) => id)).size).toBe(3);
});
