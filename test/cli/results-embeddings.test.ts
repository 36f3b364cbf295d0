import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, expect, test } from '@jest/globals';
import { encodeEmbedding } from '../../shared/contract/embedding.ts';
import type { ResultLine } from '../../shared/contract/result-line.ts';
import { describeJob, result, writeParts } from '../../testkit/job-outcomes.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const TRUNK = '0123456789abcdef';
const VALUES = Float32Array.from({ length: 1_280 }, (_, at) => at / 256);

const { aws, folder } = await commandTests();

afterEach(() => aws.clear());

function results(...options: string[]): Promise<CommandRun> {
  return runCommand(['results', 'cats', ...options], { environment: aws.environment });
}

function embedded(id: string, embedding: unknown = encodeEmbedding(VALUES)): ResultLine {
  const { attempt, at, ...rest } = result(id);
  return { ...rest, embedding: embedding as string, trunk: TRUNK, attempt, at };
}

async function parquet(file: string, sql: string): Promise<unknown[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = await connection.runAndReadAll(sql.replace('FILE', `'${file}'`));
  connection.closeSync();
  return reader.getRowObjectsJson();
}

test('JSON lines are as the worker wrote them, with and without an embedding', async () => {
  const lines = [embedded('a'), result('b')];
  await writeParts(aws.target, 'results', lines);
  const { stdout } = await results();
  expect(stdout.split('\n').filter(Boolean).sort()).toEqual(lines.map((line) => JSON.stringify(line)).sort());
});

test('Parquet has a list of FLOAT, and NULL for a line without a valid embedding', async () => {
  const hostile = ['', 'AAA', '!!!!', 7, [1], { length: 4 }, 'fP8=', null, 'x'.repeat(100_000)];
  await writeParts(aws.target, 'results', [
    embedded('a'),
    result('b'),
    ...hostile.map((embedding, index) => embedded(`hostile ${index}`, embedding)),
  ]);
  const file = join(folder.path, 'cats.parquet');
  expect(await results('--out', file)).toMatchObject({ code: 0 });
  expect(await parquet(file, 'SELECT id, typeof(embedding) AS t FROM FILE WHERE embedding IS NOT NULL')).toEqual([
    { id: 'a', t: 'FLOAT[]' },
  ]);
  expect(
    await parquet(
      file,
      "SELECT len(embedding) AS n, embedding[2] AS x, embedding[-1] AS y, trunk FROM FILE WHERE id = 'a'",
    ),
  ).toEqual([{ n: '1280', x: 1 / 256, y: 1_279 / 256, trunk: TRUNK }]);
  expect(await parquet(file, 'SELECT count(*) AS n FROM FILE')).toEqual([{ n: String(2 + hostile.length) }]);
});

test('Parquet of a job without embeddings has no such columns', async () => {
  await writeParts(aws.target, 'results', [result('a')]);
  const file = join(folder.path, 'plain.parquet');
  await results('--out', file);
  const columns = (await parquet(file, 'DESCRIBE SELECT * FROM FILE')) as { column_name: string }[];
  expect(columns.map((column) => column.column_name)).not.toContain('embedding');
});

test('CSV leaves embeddings out', async () => {
  await writeParts(aws.target, 'results', [embedded('a')]);
  const file = join(folder.path, 'cats.csv');
  await results('--out', file);
  expect(await readFile(file, 'utf8')).not.toMatch(/embedding|trunk/);
});

test('status and report read lines with embeddings like any others', async () => {
  await writeParts(aws.target, 'results', [embedded('a'), embedded('b', { deep: ['x'] })]);
  await describeJob(aws.target, ['a', 'b']);
  const { environment } = aws;
  expect(await runCommand(['status', 'cats', '--json'], { environment })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"completed"'),
  });
  const page = join(folder.path, 'report.html');
  expect(await runCommand(['report', 'cats', '--images', '0', '--out', page], { environment })).toMatchObject({
    code: 0,
  });
  expect((await readFile(page)).length).toBeLessThan(500_000);
});
