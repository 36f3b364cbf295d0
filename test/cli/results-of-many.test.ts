import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { MAIN, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const IMAGES = 100_000;
const LINES_A_PART = 1_000;
/** Half of what ten million lines may take: more lines go to disk. */
const MAX_MEMORY_KIB = 500_000;
const REPORT_PEAK_MEMORY = join(import.meta.dirname, '../../testkit/report-peak-memory.mjs');

const LABELS = ['cat', 'dog', 'espresso', 'shovel', 'bathtub'];
const ids = Array.from({ length: IMAGES }, (_, index) => `image-${index}`);

const { aws, folder } = await commandTests();

/** 1 of 100 failed, 1 of 100 failed and was mended, 1 of 10 was classified twice. */
beforeAll(async () => {
  await describeJob(aws.target, ids);
  for (let start = 0; start < IMAGES; start += LINES_A_PART) {
    const part = ids.slice(start, start + LINES_A_PART);
    const inPart = (remainder: number, divisor: number) => part.filter((_, index) => index % divisor === remainder);
    await writeParts(
      aws.target,
      'results',
      part.filter((_, index) => index % 100 !== 1).map((id) => lineOf(id, 1)),
    );
    await writeParts(
      aws.target,
      'results',
      inPart(5, 10).map((id) => lineOf(id, 0)),
    );
    await writeParts(
      aws.target,
      'failures',
      [...inPart(1, 100), ...inPart(2, 100)].map((id) => failure(id, 'timeout')),
    );
  }
});

function lineOf(id: string, second: number) {
  const number = Number(id.slice('image-'.length));
  const label = LABELS[number % LABELS.length] ?? '';
  const scores = { [label]: 0.5 + (number % 50) / 100, second: 0.2, third: 0.1, fourth: 0.05, fifth: 0.01 };
  return result(id, scores, { second, meta: { row: number } });
}

test.each(['jsonl', 'csv', 'parquet'])(
  'writes 100,000 images as %s in their order and in little memory',
  async (format) => {
    const file = join(folder.path, `many.${format}`);
    const { code, stdout, stderr } = await runCommand(['results', 'cats', '--out', file, '--in-order', '--json'], {
      environment: aws.environment,
      execArgv: [`--import=${REPORT_PEAK_MEMORY}`],
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'completed with failures',
      images: { enqueued: IMAGES, classified: IMAGES * 0.99, failed: IMAGES * 0.01, toGo: 0 },
      repeatedLines: IMAGES * 0.11,
      errorCodes: { timeout: IMAGES * 0.01 },
      file: { format, images: IMAGES * 0.99 },
    });
    expect(Number(/peak memory: (\d+) KiB/.exec(stderr)?.[1])).toBeLessThan(MAX_MEMORY_KIB);
    if (format === 'parquet') return;
    const expected = ids.filter((_, index) => index % 100 !== 1);
    const [header = '', ...lines] = `${format === 'csv' ? '' : '\n'}${await readFile(file, 'utf8')}`
      .trimEnd()
      .split('\n');
    expect(header).toMatch(format === 'csv' ? /^\uFEFFid,url,label1,score1,.*,label5,score5,.*,meta\.row$/ : /^$/);
    expect(lines.map((line) => /^(?:.*?"id":")?(image-\d+)/.exec(line)?.[1])).toEqual(expected);
  },
);

test('ends quietly when its reader closes the pipe', async () => {
  const script = 'set -o pipefail; "$NODE" "$MAIN" results cats | head -n 1; echo "exit code $?"';
  const shell = spawn('bash', ['-c', script], {
    env: { ...process.env, ...aws.environment, NODE: process.execPath, MAIN },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  shell.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  shell.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await once(shell, 'close');
  const [line = '', codes] = stdout.split('\n');
  expect(JSON.parse(line)).toMatchObject({ job: 'cats', v: 1 });
  expect(codes).toBe('exit code 0');
  expect(stderr).toMatch(/^(read \d+\/111000\n)+$/);
});
