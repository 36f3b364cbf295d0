import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from '@jest/globals';
import { ColumnError } from '../../cli/enqueue/sources/columns.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { outcomes, type ReadOptions, readList } from './lists.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

const CAT = 'https://h/größe.jpg';

/** Reads a Parquet file with the rows of a SELECT. */
async function readParquetOf(select: string, options: ReadOptions = {}, name = 'a.parquet') {
  const path = join(folder.path, 'made.parquet');
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  database.closeSync();
  const { rows } = await readList(folder, name, await readFile(path), options);
  return outcomes(rows);
}

test.each([
  ['text', `'${CAT}'::VARCHAR`],
  ['plain binary', `encode('${CAT}')`],
  ['an enumeration', `'${CAT}'::ENUM('${CAT}', 'other')`],
])('a URL that is stored as %s is read', async (_what, expression) => {
  expect(await readParquetOf(`SELECT ${expression} AS url`, { meta: false })).toEqual([{ id: CAT, url: CAT }]);
});

test('a URL that is stored in a dictionary is read', async () => {
  const images = await readParquetOf(`SELECT '${CAT}' AS url, i::VARCHAR AS id FROM range(5000) AS t(i)`, {
    meta: false,
  });
  expect(images).toHaveLength(5_000);
  expect(images[4_999]).toEqual({ id: '4999', url: CAT });
});

test.each([
  ['a list', `['${CAT}']`, /column url to hold text, got VARCHAR\[\]/],
  ['a struct', `{'bytes': 'x'::BLOB, 'path': 'a.jpg'}`, /column url to hold text, got STRUCT/],
  ['a map', `MAP {'a': '${CAT}'}`, /column url to hold text, got MAP/],
])('a URL that is stored in %s is refused, and the type is named', async (_what, expression, message) => {
  const reading = readParquetOf(`SELECT ${expression} AS url`);
  await expect(reading).rejects.toThrow(ColumnError);
  await expect(reading).rejects.toThrow(message);
});

test('numbers keep their digits in id and meta', async () => {
  const [image] = await readParquetOf(
    `SELECT '${CAT}' AS url, 1234567890123456789 AS id, 1234567890123456789 AS tweet, 1.10::DECIMAL(9, 2) AS price, 7 AS n`,
  );
  expect(JSON.stringify(image)).toBe(
    `{"id":"1234567890123456789","url":"${CAT}","meta":{"tweet":1234567890123456789,"price":1.10,"n":7}}`,
  );
});

test('binary data that is not text is returned as base64', async () => {
  expect(await readParquetOf(`SELECT '${CAT}' AS url, '\\xFF\\xFE'::BLOB AS thumb`)).toMatchObject([
    { meta: { thumb: '//4=' } },
  ]);
});

test('a Parquet file is recognized whatever its name is', async () => {
  expect(await readParquetOf(`SELECT '${CAT}' AS url`, {}, 'list.txt')).toMatchObject([{ url: CAT }]);
});

test('a cell that is larger than the memory is a one-line error with the limit', async () => {
  const cell = "SELECT 'https://h/1.jpg' AS url, repeat('abcdefghij', 30000000) AS text";
  await expect(readParquetOf(cell)).rejects.toThrow(
    /^\S+a\.parquet: expected a Parquet file that 256 MB .* larger values or row groups; .*$/,
  );
});
