import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { ERROR_CODES } from '../../shared/contract/error-codes.ts';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const { aws, folder } = await commandTests();

afterEach(() => aws.clear());

function failures(...options: string[]): Promise<CommandRun> {
  return runCommand(['failures', 'cats', ...options], { environment: aws.environment });
}

test('prints the failure lines of images that have no result, the latest of each', async () => {
  const gone = failure('gone\u2028"1"', 'gone', { meta: { sku: 'X1' } });
  const latest = failure('late', 'timeout', { attempt: 5, second: 9 });
  await writeParts(aws.target, 'failures', [gone, failure('late', 'rate_limited')]);
  await writeParts(aws.target, 'failures', [latest, failure('mended', 'timeout', { second: 9 })]);
  await writeParts(aws.target, 'results', [result('mended')]);
  const { code, stdout } = await failures();
  const lines = stdout.trim().split('\n').sort();
  expect(lines).toEqual([gone, latest].map((line) => JSON.stringify(line)).sort());
  expect(code).toBe(0);
});

test('prints the failures of certain codes only', async () => {
  const lines = (['gone', 'timeout', 'corrupt', 'worker_crashed'] as const).map((code) => failure(code, code));
  await writeParts(aws.target, 'failures', lines);
  const { stdout } = await failures('--code', 'timeout', 'worker_crashed');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).error.code)
      .sort(),
  ).toEqual(['timeout', 'worker_crashed']);
});

test('writes CSV with code, stage, message and attempts, and no other file', async () => {
  await describeJob(aws.target, ['=1+1']);
  await writeParts(aws.target, 'failures', [failure('=1+1', 'server_error', { attempt: 5, meta: { sku: 7 } })]);
  const file = join(folder.path, 'failures.csv');
  const { stdout, stderr } = await failures('--out', file, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'completed with failures',
    errorCodes: { server_error: 1 },
    file: { format: 'csv', images: 1 },
  });
  expect(stderr).toContain(`1 image in ${file}\n`);
  expect(await readdir(folder.path)).toEqual(['failures.csv']);
  const { stdout: csv } = await failures('--format', 'csv');
  expect(parse(csv, { columns: true })).toEqual([
    {
      ...{ id: "'=1+1", url: 'https://host.example/%3D1%2B1.jpg', code: 'server_error', stage: 'fetch' },
      ...{ message: 'expected status 200, got 404', retryable: 'true', attempt: '5', at: '2026-11-24T10:00:00.000Z' },
      'meta.sku': '7',
    },
  ]);
});

test('names all codes when one is unknown', async () => {
  const { code, stdout, stderr } = await failures('--code', 'notfound');
  for (const name of Object.keys(ERROR_CODES)) expect(stderr).toContain(name);
  expect(stderr).toContain('Usage: labelqueue failures');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
