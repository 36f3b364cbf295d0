import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../../shared/contract/error-codes.ts';

const TABLES = await readFile(join(import.meta.dirname, '../../../docs/acknowledgement.md'), 'utf8');

/** The cells of all rows below a heading that begins so. */
function rows(firstHeading: string): string[][] {
  return TABLES.split('\n\n')
    .filter((block) => block.startsWith(`| ${firstHeading} |`))
    .flatMap((block) => block.trim().split('\n').slice(2))
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** The names of the tests, and groups of tests, that are not in another group. */
async function testNames(): Promise<string[]> {
  const files = (await readdir(import.meta.dirname)).filter(
    (file) => /^(acknowledgement.*|deadline)\.test\.ts$/.test(file) && file !== basename(import.meta.filename),
  );
  const sources = await Promise.all(files.map((file) => readFile(join(import.meta.dirname, file), 'utf8')));
  return sources.flatMap((source) =>
    [...source.matchAll(/^(?:test|describe)\('(.+?)',/gm)].map(([, name = '']) => name),
  );
}

test('each row has a test of its name, and each test its row', async () => {
  const cases = rows('case').map(([name]) => name);
  expect(cases.length).toBeGreaterThan(30);
  expect((await testNames()).toSorted()).toEqual(cases.toSorted());
});

test('each row says all that its table asks', () => {
  for (const row of rows('case')) {
    expect(row).toHaveLength(5);
    expect(row).not.toContain('');
  }
});

test('the error codes are those of the contract', () => {
  const codes = Object.entries(ERROR_CODES).map(([code, { stage, retryable, meaning }]) => [
    `\`${code}\``,
    stage,
    retryable ? 'yes' : 'no',
    meaning,
  ]);
  expect(rows('code')).toEqual(codes);
});
