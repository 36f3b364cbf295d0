import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parseExactJson } from '../../shared/contract/exact-json.ts';
import { idWithMeta } from '../../shared/contract/image-ref.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import { uniqueImages } from '../../shared/jobs/unique-images.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';

const SPILL_ROWS = join(import.meta.dirname, '../support/spill-rows.ts');

async function* images(...refs: ImageRef[]): AsyncGenerator<SourceRow> {
  for (const [index, image] of refs.entries()) yield { line: index + 1, image };
}

async function* numbered(count: number): AsyncGenerator<SourceRow> {
  for (let index = 0; index < count; index++) {
    yield { line: index + 1, image: { id: `row-${index}`, url: `https://host/${index % 1_000}.jpg` } };
  }
}

test('leaves out exact duplicates, and reports each', async () => {
  let repetitions = 0;
  const a = { id: 'a', url: 'https://host/a.jpg' };
  const bare = { id: 'https://host/b.jpg', url: 'https://host/b.jpg' };
  const unique = await Array.fromAsync(
    uniqueImages(images(a, bare, a, bare, a), { onRepetition: () => repetitions++ }),
  );
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

test('passes on invalid rows', async () => {
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

test('a repeated URL with other meta is kept, with its own id, which is the same each time', async () => {
  const row = (title: string): ImageRef => ({ id: URL, url: URL, meta: { title } });
  const read = async () => {
    const counts = { repetitions: 0, ownIds: 0 };
    const unique = await Array.fromAsync(
      uniqueImages(images(row('a'), row('b'), row('c'), row('b'), row('a')), {
        onRepetition: () => counts.repetitions++,
        onOwnId: () => counts.ownIds++,
      }),
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

describe('rows that do not fit into memory', () => {
  /** Ids, URLs and meta repeat each other in all combinations, near and far apart; some are the ids that others get. */
  async function* mixed(count: number): AsyncGenerator<SourceRow> {
    const ownId = (n: number) => idWithMeta({ url: `https://host/${n % 97}`, meta: { n: n % 6 } });
    for (let line = 1; line <= count; line++) {
      const n = (line * 7_919) % 1_500;
      const url = `https://host/${n % 700}`;
      const id = n % 11 === 0 ? ownId(n) : n % 3 === 0 ? `id-${n % 400}` : url;
      yield { line, image: n % 8 < 4 ? { id, url, meta: { n: n % 6 } } : { id, url } };
    }
  }

  async function judged(slotsInMemory?: number) {
    const counts = { repetitions: 0, ownIds: 0 };
    const options = { onRepetition: () => counts.repetitions++, onOwnId: () => counts.ownIds++ };
    const spilling = slotsInMemory === undefined ? options : { ...options, slotsInMemory };
    return { rows: await Array.fromAsync(uniqueImages(mixed(6_000), spilling)), counts };
  }

  test('are treated like those that do', async () => {
    const expected = await judged();
    expect(Math.min(expected.counts.repetitions, expected.counts.ownIds)).toBeGreaterThan(50);
    expect(expected.rows.filter((row) => 'problem' in row).length).toBeGreaterThan(50);
    expect(await judged(16)).toEqual(expected);
    expect(await judged(256)).toEqual(expected);
  });

  const ROWS = 3_000;
  const SLOTS = 256;

  async function spillInProcess(folder: string, limit: string) {
    const shell = ['-c', `trap '' XFSZ; ${limit}; exec "$0" "$@"`, process.execPath, SPILL_ROWS, `${ROWS}`, `${SLOTS}`];
    const { stdout } = await promisify(execFile)('sh', shell, { env: { PATH: process.env['PATH'], TMPDIR: folder } });
    return JSON.parse(stdout);
  }

  test('leave no file behind, however the process ends: the file is unlinked while it is used', async () => {
    await using folder = await createTemporaryFolder();
    const report = await spillInProcess(folder.path, ':');
    expect(report).toEqual({ kept: ROWS, during: { named: [], unnamed: 1 }, after: 0 });
  });

  test.each([
    ['that is not there', (path: string) => join(path, 'missing'), ':', 'ENOENT'],
    ['that is full', (path: string) => path, 'ulimit -f 16', 'EFBIG'],
  ])('need a folder for temporary files: one %s is named', async (_what, pathIn, limit, code) => {
    await using folder = await createTemporaryFolder();
    const { name, message } = await spillInProcess(pathIn(folder.path), limit);
    expect(name).toBe('SpillError');
    expect(message).toContain(`in ${pathIn(folder.path)}, with hashes of the ids so far, got ${code}: `);
    expect(await readdir(folder.path)).toEqual([]);
  });
});
