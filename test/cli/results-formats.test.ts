import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { OutcomeDatabase } from '../../cli/export/outcome-database.ts';
import { result, writeParts } from '../../testkit/job-outcomes.ts';
import type { CommandRun } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { ODD_IDS } from './odd-ids.ts';

const { aws, folder, labelqueue } = await commandTests();

afterEach(() => aws.clear());

function results(...options: string[]): Promise<CommandRun> {
  return labelqueue('results', 'cats', ...options);
}

async function parquetRows(file: string, select = '*'): Promise<unknown[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = await connection.runAndReadAll(`SELECT ${select} FROM '${file}'`);
  connection.closeSync();
  return reader.getRowObjectsJson();
}

test('writes CSV files that Excel, pandas and DuckDB read as UTF-8', async () => {
  await writeParts(aws.target, 'results', [result('größe-猫', { cat: 1 })]);
  const file = join(folder.path, 'excel.csv');
  expect(await results('--out', file)).toMatchObject({ code: 0 });
  const bytes = await readFile(file);
  expect(bytes.subarray(0, 5).toString('utf8')).toBe('\uFEFFid');
  await using database = await OutcomeDatabase.create(folder.path);
  const [row] = await database.rows<{ id: string }>(`SELECT id FROM read_csv('${file}')`);
  expect(row?.id).toBe('größe-猫');
  expect((await results('--format', 'csv')).stdout).toMatch(/^id,/);
});

test('writes CSV that parsers read, with meta in columns, and without formulas', async () => {
  await writeParts(aws.target, 'results', [
    result(
      '=cmd|x',
      { 'tabby, tabby cat': 0.75, '@lynx': 0.25 },
      { meta: { sku: '+1', 'a/b~': { c: [1] } }, attempt: 2 },
    ),
    result('a\n"b"', { cat: 1 }),
  ]);
  const { stdout } = await results('--format', 'csv');
  const rows = parse(stdout, { columns: true }) as Record<string, string>[];
  const facts = { model: 'net', modelVersion: '1', width: '640', height: '480', format: 'jpeg', bytes: '1000' };
  expect(rows.toSorted((one, other) => ((one['id'] ?? '') < (other['id'] ?? '') ? -1 : 1))).toEqual([
    {
      ...{ id: "'=cmd|x", url: 'https://host.example/%3Dcmd%7Cx.jpg' },
      ...{ label1: 'tabby, tabby cat', score1: '0.75', label2: "'@lynx", score2: '0.25' },
      ...{ ...facts, sha256: 'ab'.repeat(32), attempt: '2', at: '2026-11-24T10:00:00.000Z' },
      ...{ 'meta.a/b~': '{"c":[1]}', 'meta.sku': "'+1" },
    },
    {
      ...{
        id: 'a\n"b"',
        url: 'https://host.example/a%0A%22b%22.jpg',
        label1: 'cat',
        score1: '1.0',
        label2: '',
        score2: '',
      },
      ...{ ...facts, sha256: 'ab'.repeat(32), attempt: '1', at: '2026-11-24T10:00:00.000Z' },
      ...{ 'meta.a/b~': '', 'meta.sku': '' },
    },
  ]);
});

test('writes meta as one CSV column when it has too many keys for columns', async () => {
  const meta = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`key${index}`, index]));
  await writeParts(aws.target, 'results', [result('a', {}, { meta })]);
  const { stdout } = await results('--format', 'csv');
  const [row] = parse(stdout, { columns: true }) as Record<string, string>[];
  expect(JSON.parse(row?.['meta'] ?? '')).toEqual(meta);
});

test.each(['jsonl', 'csv', 'parquet'])(
  'writes an image that no label reached the threshold of as %s too',
  async (format) => {
    await writeParts(aws.target, 'results', [result('none', {}), result('cat', { cat: 0.75 })]);
    const file = join(folder.path, `none.${format}`);
    expect(await results('--out', file)).toMatchObject({ code: 0 });
    const text = format === 'parquet' ? JSON.stringify(await parquetRows(file)) : await readFile(file, 'utf8');
    expect(text).toContain('none');
    const summary = JSON.parse(await readFile(join(folder.path, 'cats.summary.json'), 'utf8'));
    expect(summary).toMatchObject({ images: { classified: 2 }, labels: [{ label: 'cat', images: 1 }] });
  },
);

test('writes Parquet with labels as a list of structs when the file is named so', async () => {
  const lines = [...ODD_IDS, '=1'].map((id) => result(id, { cat: 0.75, dog: 0.25 }, { meta: { id } }));
  await writeParts(aws.target, 'results', lines);
  const file = join(folder.path, 'cats.parquet');
  expect(await results('--out', file)).toMatchObject({ code: 0, stdout: '' });
  const rows = (await parquetRows(file)) as { id: string; meta: string }[];
  expect(rows.map(({ id }) => id).sort()).toEqual(lines.map(({ id }) => id).sort());
  expect(rows.map(({ meta }) => JSON.parse(meta).id)).toEqual(rows.map(({ id }) => id));
  expect(rows[0]).toMatchObject({
    labels: [
      { label: 'cat', score: 0.75, classId: 0 },
      { label: 'dog', score: 0.25, classId: 1 },
    ],
    model: { name: 'net', version: '1' },
    image: { width: 640, height: 480, format: 'jpeg', bytes: '1000', sha256: 'ab'.repeat(32) },
    attempt: 1,
    at: '2026-11-24 10:00:00+00',
  });
});
