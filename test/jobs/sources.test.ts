import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from '@jest/globals';
import { ColumnError } from '../../cli/enqueue/sources/columns.ts';
import { formatOf, readSource, type SourceFile, UnreadableSourceError } from '../../cli/enqueue/sources/read-source.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

/** Reads a file by its name, as the command does. */
async function read(
  name: string,
  content: string | Buffer,
  columns: Partial<SourceFile['columns']> = {},
): Promise<SourceRow[]> {
  const path = await folder.write(name, content);
  const choice = { urlColumn: undefined, idColumn: undefined, meta: false, ...columns };
  return Array.fromAsync(readSource({ path, format: formatOf(name), columns: choice }));
}

const A = 'https://host/a.jpg';
const B = 'https://host/b.jpg';

test('a table names its images in the column url, and the URL is the id', async () => {
  expect(await read('a.csv', `sku,url\nX1,${A}\nX2,${B}\n`)).toEqual([
    { line: 2, image: { id: A, url: A } },
    { line: 3, image: { id: B, url: B } },
  ]);
});

test('other columns become meta, in their order', async () => {
  const [row] = await read('a.csv', `sku,photo,price\nX1,${A},3\n`, {
    urlColumn: 'photo',
    idColumn: 'sku',
    meta: true,
  });
  expect(row).toEqual({ line: 2, image: { id: 'X1', url: A, meta: { price: '3' } } });
});

test('quoted fields may hold commas, quotes and line breaks; a byte order mark is skipped', async () => {
  const rows = await read('a.csv', `\uFEFFurl,note\n${A},"a, ""b""\nc"\n${B},d\n`, { meta: true });
  expect(rows).toEqual([
    { line: 3, image: { id: A, url: A, meta: { note: 'a, "b"\nc' } } },
    { line: 4, image: { id: B, url: B, meta: { note: 'd' } } },
  ]);
});

test('a row with a wrong number of fields is reported with its line, and the others are read', async () => {
  const rows = await read('a.csv', `url,sku\n${A},1\n${B}\n${B},2\n`);
  expect(rows.filter((row) => 'image' in row)).toHaveLength(2);
  expect(rows.filter((row) => 'problem' in row)).toEqual([
    { line: 3, text: B, problem: 'expected 2 fields as in the header line, got 1' },
  ]);
});

test('a row with too many fields is reported with what to do: URLs may contain commas', async () => {
  expect(await read('a.csv', `url\nhttps://host/w_300,h_200/a.jpg\n`)).toEqual([
    {
      line: 2,
      text: 'https://host/w_300,h_200/a.jpg',
      problem:
        'expected 1 field as in the header line, got 2: quote a field that has "," in it, or name another --delimiter',
    },
  ]);
});

test('rows of nothing but delimiters are skipped, as empty lines are', async () => {
  for (const [name, delimiter] of [['a.csv', ','] as const, ['a.csv', ';'] as const, ['a.tsv', '\t'] as const]) {
    const blank = [delimiter, ` ${delimiter} `, ''].join('\n');
    const text = `sku${delimiter}url\n1${delimiter}${A}\n${blank}\n2${delimiter}${B}\n${blank}`;
    expect((await read(name, text)).map((row) => 'image' in row && row.image.url)).toEqual([A, B]);
  }
});

test('tabs separate the columns of .tsv', async () => {
  expect(await read('a.tsv', `id\turl\nx\t${A}\n`, { idColumn: 'id' })).toEqual([
    { line: 2, image: { id: 'x', url: A } },
  ]);
});

test('a missing column is an error that names the existing ones', async () => {
  await expect(read('a.csv', `name,link\nx,${A}\n`)).rejects.toThrow(ColumnError);
  await expect(read('a.csv', `name,link\nx,${A}\n`)).rejects.toThrow(/--url-column.*got name, link/);
  await expect(read('a.csv', `url\n${A}\n`, { idColumn: 'sku' })).rejects.toThrow(/a column named sku/);
});

test('JSON lines may call the id custom_id', async () => {
  expect(await read('a.jsonl', `{"custom_id":"row-1","url":"${A}"}\n`)).toEqual([
    { line: 1, image: { id: 'row-1', url: A } },
  ]);
});

test.each([
  ['a.txt.gz', `${A}\n`, 1],
  ['a.csv.gz', `url\n${A}\n`, 2],
  ['a.jsonl.gz', `{"url":"${A}"}\n`, 1],
])('%s is unpacked', async (name, content, line) => {
  expect(await read(name, gzipSync(content))).toEqual([{ line, image: { id: A, url: A } }]);
});

test('compression is detected by content, whatever the file name is', async () => {
  expect(await read('a.txt', gzipSync(`${A}\n`))).toEqual([{ line: 1, image: { id: A, url: A } }]);
  expect(await read('a.txt.gz', `${A}\n`)).toEqual([{ line: 1, image: { id: A, url: A } }]);
});

test('a truncated compressed file is an error', async () => {
  const whole = gzipSync(`${A}\n`);
  await expect(read('a.txt.gz', whole.subarray(0, -4))).rejects.toThrow(UnreadableSourceError);
  await expect(read('a.txt.gz', whole.subarray(0, -4))).rejects.toThrow(/a\.txt\.gz: expected a whole gzip file/);
});

test('a file that is not Parquet despite its name is an error that names it', async () => {
  await expect(read('a.parquet', 'no table')).rejects.toThrow(/a\.parquet: expected a Parquet file: .*too small/);
  await expect(read('a.parquet', 'no table'.repeat(100))).rejects.toThrow(UnreadableSourceError);
});

/** Two rows with a number as id, and a null. */
async function writeParquet(path: string): Promise<void> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run(
    `COPY (SELECT * FROM (VALUES (1, '${A}', 'x'), (2, NULL, 'y')) AS t(sku, url, note)) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  database.closeSync();
}

test.each(['a.parquet', 'a.parquet.gz'])('%s is read; a row without URL is told with its number', async (name) => {
  const path = join(folder.path, 'made.parquet');
  await writeParquet(path);
  const bytes = await readFile(path);
  const rows = await read(name, name.endsWith('.gz') ? gzipSync(bytes) : bytes, { idColumn: 'sku', meta: true });
  expect(rows).toEqual([
    { line: 1, image: { id: '1', url: A, meta: { note: 'x' } } },
    { line: 2, text: expect.stringContaining('"sku":2'), problem: 'no URL in the column url' },
  ]);
});
