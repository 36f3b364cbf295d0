import { glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { QUERIES } from './sample-queries.ts';

let folder: TemporaryFolder;
let connection: DuckDBConnection;

/** A job with repetitions, a mended failure and odd ids, as part files of the worker in a folder. */
beforeAll(async () => {
  folder = await createTemporaryFolder();
  await using aws = await startTestAws();
  const sha256 = 'cd'.repeat(32);
  await writeParts(aws.target, 'results', [
    result('a', { cat: 0.9, dog: 0.1 }),
    result('b', { cat: 0.4 }, { meta: { sku: 'X1' }, sha256, second: 70 }),
    result('c "猫"\n', { dog: 0.3 }, { sha256 }),
    // By a model with a threshold that no label reached.
    { ...result('n', {}, { second: 130, sha256: 'ef'.repeat(32) }), embedding: 'ADw=', trunk: '0123456789abcdef' },
  ]);
  await writeParts(aws.target, 'results', [result('a', { dog: 0.7 }, { second: 5 })]);
  await writeParts(aws.target, 'failures', [
    failure('b', 'timeout', { second: 90 }),
    failure('d', 'gone', { url: 'https://Slow.example:8443/d.jpg?x#y' }),
    failure('e', 'gone', { url: 'https://slow.example:8443/e.jpg', attempt: 5 }),
    failure('f', 'timeout', { url: 's3://photos/f.jpg' }),
  ]);
  for (const kind of ['results', 'failures'] as const) {
    for (const key of await aws.partKeys(kind, 'cats')) {
      const command = new GetObjectCommand({ Bucket: aws.target.resultsBucket, Key: key });
      const { Body } = await aws.target.s3.send(command);
      await mkdir(dirname(join(folder.path, key)), { recursive: true });
      await writeFile(join(folder.path, key), (await Body?.transformToString()) ?? '');
    }
  }
  connection = await (await DuckDBInstance.create()).connect();
  await writeAgain();
  const views = ['duckdb-results', 'duckdb-failures', 'duckdb-runs', 'classified', 'failed'];
  for (const name of views) await run(name);
});
afterAll(async () => {
  connection.closeSync();
  await folder[Symbol.asyncDispose]();
});

/**
 * The same lines as the newest run of the job `again`; beside them, those of an earlier run and of messages without one,
 * which are newer and of other images, too.
 */
async function writeAgain(): Promise<void> {
  const [earlier, newest] = ['1'.repeat(16), '0'.repeat(16)];
  await write('jobs/again/job.json', JSON.stringify({ v: 1, job: 'again', run: newest, images: 8 }));
  for (const kind of ['results', 'failures'] as const) {
    const parts = await Array.fromAsync(glob(`${kind}/job=cats/part-*`, { cwd: folder.path }));
    for (const [index, part] of parts.entries()) {
      const lines = (await readFile(join(folder.path, part), 'utf8')).trimEnd().split('\n');
      const of = (run: string) => lines.map((line) => JSON.stringify({ ...JSON.parse(line), job: 'again', run }));
      await write(`${kind}/job=again/run=${newest}/part-${index}.jsonl`, of(newest).join('\n'));
    }
    const stray = (id: string) =>
      kind === 'results' ? result(id, {}, { second: 999 }) : failure(id, 'gone', { second: 999 });
    for (const [place, run] of [
      [`run=${earlier}/`, earlier],
      ['', undefined],
    ] as const) {
      const lines = ['a', 'd', 'stray'].map((id) => JSON.stringify({ ...stray(id), job: 'again', run }));
      await write(`${kind}/job=again/${place}part-0.jsonl`, lines.join('\n'));
    }
  }
}

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder.path, name)), { recursive: true });
  await writeFile(join(folder.path, name), text);
}

async function run(name: string, job = 'cats'): Promise<Record<string, unknown>[]> {
  const query = QUERIES.find((one) => one.name === name);
  if (query === undefined) throw new Error(`expected a query called ${name}`);
  const sql = query.sql.replaceAll('s3://BUCKET', folder.path).replaceAll("'my-job'", `'${job}'`);
  return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
}

const ANSWERS: Record<string, unknown[]> = {
  'images-per-label': [
    { label: 'dog', images: '2', mean_score: 0.5 },
    { label: 'cat', images: '1', mean_score: 0.4 },
    { label: null, images: '1', mean_score: null },
  ],
  'low-confidence-images': [
    { id: 'c "猫"\n', url: 'https://host.example/c%20%22%E7%8C%AB%22%0A.jpg', label: 'dog', score: 0.3 },
    { id: 'b', url: 'https://host.example/b.jpg', label: 'cat', score: 0.4 },
    { id: 'n', url: 'https://host.example/n.jpg', label: null, score: null },
  ],
  'failures-by-host': [
    { host: 'slow.example:8443', code: 'gone', images: '2' },
    { host: 'photos', code: 'timeout', images: '1' },
  ],
  'duplicates-by-sha256': [
    { sha256: 'cd'.repeat(32), images: '2', one_id: 'b', another_id: 'c "猫"\n', bytes: '1000' },
  ],
  'embeddings-by-model': [{ trunk: '0123456789abcdef', model: 'net', version: '1', images: '1' }],
  'failures-to-look-at': [
    { code: 'gone', stage: 'fetch', images: '2', example: 'https://Slow.example:8443/d.jpg?x#y', attempts: 5 },
    { code: 'timeout', stage: 'fetch', images: '1', example: 's3://photos/f.jpg', attempts: 1 },
  ],
  'images-per-minute': [
    { minute: '2026-11-24T10:00', images: '2' },
    { minute: '2026-11-24T10:01', images: '1' },
    { minute: '2026-11-24T10:02', images: '1' },
  ],
};

describe('the query', () => {
  const asking = QUERIES.filter(({ sql }) => sql.startsWith('SELECT')).map(({ name }) => name);
  test.each(asking)('%s has the right result', async (name) => {
    expect(await run(name)).toEqual(ANSWERS[name]);
  });
  test.each(asking)('%s counts only the newest run of a job', async (name) => {
    expect(await run(name, 'again')).toEqual(ANSWERS[name]);
  });
});

test.each(['results', 'failures', 'runs'])('the %s table of Athena has the columns that DuckDB has', async (kind) => {
  const { sql = '' } = QUERIES.find(({ name }) => name === `athena-${kind}`) ?? {};
  const [, columns = '', partition = ''] = /\((.*?)\)\s*PARTITIONED BY \((\w+) string\)/s.exec(sql) ?? [];
  const names = [...columns.replaceAll(/<[^()]*?>+(?=,|\s)/g, '').matchAll(/`?(\w+)`? \w+/g)].map(([, name]) => name);
  const described = await connection.runAndReadAll(`DESCRIBE ${kind}`);
  const expected = described.getRowObjectsJson().map((row) => row['column_name']);
  expect([partition, ...names].sort()).toEqual(expected.sort());
  expect(sql).toContain(`LOCATION 's3://BUCKET/${kind}/'`);
});
