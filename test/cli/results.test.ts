import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { ResultLine } from '../../shared/contract/result-line.ts';
import { cancelJob } from '../../shared/jobs/job-store.ts';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { ODD_IDS } from './odd-ids.ts';

const { aws, folder } = await commandTests();

afterEach(() => aws.clear());

function results(...options: string[]): Promise<CommandRun> {
  return runCommand(['results', 'cats', ...options], { environment: aws.environment });
}

function linesOf(text: string): ResultLine[] {
  if (text === '') return [];
  expect(text).toMatch(/\n$/);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
}

function byId(lines: readonly ResultLine[]): ResultLine[] {
  return lines.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

async function idsOf(...options: string[]): Promise<string[]> {
  const { code, stdout } = await results(...options);
  expect(code).toBe(0);
  return linesOf(stdout).map(({ id }) => id);
}

test('prints the lines of all parts as the worker wrote them', async () => {
  const lines = [
    result('a', { cat: 0.1 + 0.2, dog: 1e-7, '': 0 }),
    result('b', {}, { meta: { sku: 'X1', price: 2.5, big: 1e21, deep: { list: [null, true, 'ü'] } } }),
    ...ODD_IDS.map((id) => result(id, { [id]: 1 }, { meta: { [id]: id } })),
  ];
  await writeParts(aws.target, 'results', lines.slice(0, 1));
  await writeParts(aws.target, 'results', lines.slice(1, 2));
  await writeParts(aws.target, 'results', lines.slice(2));
  await describeJob(
    aws.target,
    lines.map(({ id }) => id),
  );
  const { code, stdout, stderr } = await results();
  expect(byId(linesOf(stdout))).toEqual(byId(lines));
  expect(byId(linesOf(stdout)).map((line) => Object.keys(line))).toEqual(byId(lines).map((line) => Object.keys(line)));
  expect(stderr).toBe(`read ${lines.length}/${lines.length}\n`);
  expect(code).toBe(0);
});

test('prints an unpaired surrogate as its escape', async () => {
  await writeParts(aws.target, 'results', [result('x\ud83d', {}, { meta: { '\udc08': '\\ud83d\ud83d\udc08' } })]);
  const { stdout } = await results();
  expect(linesOf(stdout)).toMatchObject([{ id: 'x\\ud83d', meta: { '\\udc08': '\\ud83d🐈' } }]);
});

test('counts an image once: the latest of several lines, and a result instead of a failure', async () => {
  await writeParts(aws.target, 'results', [result('a', { new: 1 }, { second: 9 }), result('b', { old: 1 })]);
  await writeParts(aws.target, 'results', [
    result('a', { old: 1 }),
    result('b', { new: 1 }, { second: 9 }),
    result('c'),
  ]);
  await writeParts(aws.target, 'failures', [failure('c', 'timeout', { second: 9 }), failure('d', 'timeout')]);
  await writeParts(aws.target, 'failures', [failure('d', 'gone', { second: 9 })]);
  await describeJob(aws.target, ['a', 'b', 'c', 'd']);
  const file = join(folder.path, 'once.jsonl');
  await results('--out', file);
  const lines = byId(linesOf(await readFile(file, 'utf8')));
  expect(lines.map(({ id, labels }) => [id, labels[0]?.label])).toEqual([
    ['a', 'new'],
    ['b', 'new'],
    ['c', 'cat'],
  ]);
  const summary = JSON.parse(await readFile(join(folder.path, 'cats.summary.json'), 'utf8'));
  expect(summary).toMatchObject({ images: { classified: 3, failed: 1 }, repeatedLines: 4, errorCodes: { gone: 1 } });
});

test('prints in the order of the source with --in-order', async () => {
  const ids = Array.from({ length: 300 }, (_, index) => `row-${(index * 7) % 300}`);
  await describeJob(aws.target, ['failed', ...ids, '\ud800']);
  await writeParts(
    aws.target,
    'results',
    [...['\ud800', 'unknown'], ...ids.toSorted()].map((id) => result(id)),
  );
  await writeParts(aws.target, 'failures', [failure('failed')]);
  expect(await idsOf('--in-order')).toEqual([...ids, '\\ud800', 'unknown']);
});

test('says that the order of a job of another producer is unknown', async () => {
  await writeParts(aws.target, 'results', [result('a')]);
  const { code, stdout, stderr } = await results('--in-order');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^labelqueue: the order of cats is not known/m);
});

test('prints only images with a matching label and score', async () => {
  await writeParts(aws.target, 'results', [
    result('egyptian', { 'Egyptian cat': 0.6, 'tiger cat': 0.3 }),
    result('tiger', { tiger: 0.5, 'tiger cat': 0.4 }),
    result('dog', { dog: 0.9, '[cat]': 0.05 }),
    result('none', {}),
  ]);
  expect((await idsOf('--label', '*CAT')).sort()).toEqual(['egyptian', 'tiger']);
  expect(await idsOf('--label', '[cat]')).toEqual(['dog']);
  expect(await idsOf('--label', 'tige?')).toEqual(['tiger']);
  expect((await idsOf('--min-score', '0.6')).sort()).toEqual(['dog', 'egyptian']);
  expect(await idsOf('--label', '*cat*', '--min-score', '0.5')).toEqual(['egyptian']);
  expect(await idsOf('--label', "'; --")).toEqual([]);
  expect((await results('--label', '*zzz*')).stderr).toMatch(/(^|\n)0 of \d images match\n$/);
});

test('sums the job up in cats.summary.json beside the file, and prints it with --json', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  await describeJob(aws.target, ids);
  await writeParts(aws.target, 'results', [
    result('a', { cat: 0.93, dog: 0.01 }, { second: 2 }),
    result('b', { cat: 0.52 }, { second: 10, attempt: 3, url: 's3://Photos/b.jpg' }),
    result('c', { dog: 1 }, { second: 4, url: 'https://me:secret@Other.example:8443/c.jpg?sig=1' }),
  ]);
  await writeParts(aws.target, 'failures', [failure('d', 'timeout', { attempt: 5 })]);
  const file = join(folder.path, 'summed.csv');
  const { code, stdout, stderr } = await results('--out', file, '--label', 'cat', '--json');
  expect(code).toBe(0);
  expect(stderr).toContain('job cats is not completed: 4 of 5 images with an outcome so far\n');
  expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(join(folder.path, 'cats.summary.json'), 'utf8')));
  const { scoreHistogram, ...summary } = JSON.parse(stdout);
  expect(summary).toEqual({
    ...{ v: 1, job: 'cats', state: 'incomplete', source: 'cats.csv' },
    createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    labelqueue: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    images: { enqueued: 5, classified: 3, failed: 1, toGo: 1 },
    repeatedLines: 0,
    labels: [
      { label: 'cat', images: 2, meanScore: 0.725 },
      { label: 'dog', images: 1, meanScore: 1 },
    ],
    errorCodes: { timeout: 1 },
    attempts: { 1: 2, 3: 1, 5: 1 },
    hosts: [
      { host: 'host.example', classified: 1, failed: 1 },
      { host: 'other.example:8443', classified: 1, failed: 0 },
      { host: 'photos', classified: 1, failed: 0 },
    ],
    otherHosts: { hosts: 0, classified: 0, failed: 0 },
    bytes: { total: 3_000, mean: 1_000, largest: 1_000 },
    durations: {
      startedAt: '2026-11-24T10:00:00.000Z',
      firstOutcomeAt: '2026-11-24T10:00:00.000Z',
      lastOutcomeAt: '2026-11-24T10:00:10.000Z',
      seconds: 10,
      imagesPerSecond: 0.4,
    },
    models: [{ name: 'net', version: '1', images: 3 }],
    cost: expect.objectContaining({ totalUsd: expect.any(Number) }),
    computing: { workers: [], measuredShare: 0 },
    file: { format: 'csv', images: 2 },
  });
  expect(scoreHistogram).toHaveLength(20);
  expect(scoreHistogram.filter(({ images }: { images: number }) => images > 0)).toEqual([
    { from: 0.5, to: 0.55, images: 1 },
    { from: 0.9, to: 0.95, images: 1 },
    { from: 0.95, to: 1, images: 1 },
  ]);
});

test('says that a job was cancelled', async () => {
  await describeJob(aws.target, ['a', 'b']);
  await writeParts(aws.target, 'results', [result('a')]);
  await cancelJob(aws.target, { job: 'cats' }, 'enough');
  const { code, stderr } = await results();
  expect(stderr).toContain('job cats was cancelled: 1 of 2 images with an outcome\n');
  expect(code).toBe(0);
});

test('prints nothing for a job that has just begun', async () => {
  await describeJob(aws.target, ['a']);
  expect(await results()).toMatchObject({ code: 0, stdout: '' });
  const { code, stdout } = await results('--format', 'csv');
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^id,url,model,.*\n$/) });
});

test('says that there is no such job', async () => {
  const { code, stdout, stderr } = await results();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^labelqueue: no job cats in the bucket .*: see labelqueue status\n$/);
});

test('names a missing folder, and leaves no file behind', async () => {
  await writeParts(aws.target, 'results', [result('a')]);
  const file = join(folder.path, 'nowhere/cats.jsonl');
  const { code, stderr } = await results('--out', file);
  expect(stderr).toContain(`labelqueue: no folder ${dirname(file)}: make it first\n`);
  expect(code).toBe(1);
  expect(await results('--out', folder.path)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('got a folder'),
  });
  expect((await readdir(dirname(folder.path))).filter((name) => name.startsWith('.'))).not.toContainEqual(
    expect.stringContaining(basename(folder.path)),
  );
});

test.each([
  ['a score out of range', ['--min-score', '1.5']],
  ['an unknown format', ['--format', 'xml']],
  ['--json without --out', ['--json']],
  ['a job name that is none', ['cats dogs']],
])('refuses %s with its usage and exit code 2', async (_what, options) => {
  const { code, stdout, stderr } = await results(...options);
  expect(stderr).toContain('Usage: labelqueue results');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('refuses to write its results over the summary', async () => {
  await writeParts(aws.target, 'results', [result('a')]);
  expect(await results('--format', 'jsonl', '--out', join(folder.path, 'cats.summary.json'))).toMatchObject({
    code: 1,
  });
});
