import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { type CommandRun, MAIN, runCommand } from '../support/command.ts';

let aws: TestAws;
let folder: TemporaryFolder;
beforeAll(async () => {
  aws = await startTestAws();
  await describeJob(aws.target, ['a', 'b']);
  await writeParts(aws.target, 'results', [result('a')]);
  await writeParts(aws.target, 'failures', [failure('b')]);
  const QueueUrl = aws.target.deadLetterQueueUrl;
  await aws.target.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'no message' }));
});
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});
afterAll(() => aws.stop());

function run(...args: string[]): Promise<CommandRun> {
  return runCommand(args, aws);
}

function at(name: string): string {
  return join(folder.path, name);
}

describe('a file that the command did not write', () => {
  test.each([
    ['results', 'cats', 'mine.csv'],
    ['failures', 'cats', 'mine.jsonl'],
    ['report', 'cats', 'mine.html'],
    ['redrive', '--unreadable', 'mine.jsonl'],
  ])('is not overwritten by `%s %s --out`, except with --force', async (command, argument, name) => {
    const mine = await folder.write(name, 'a day of work\n');
    const { code, stdout, stderr } = await run(command, argument, '--out', mine);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`labelqueue: ${mine} exists already: choose another name, or replace it with --force\n`);
    expect(await readFile(mine, 'utf8')).toBe('a day of work\n');
    expect(await run(command, argument, '--out', mine, '--force')).toMatchObject({ code: 0 });
    expect(await readFile(mine, 'utf8')).not.toContain('a day of work');
  });

  test('is not overwritten by the summary', async () => {
    const mine = await folder.write('cats.summary.json', '{"job":"cats"}');
    const { code, stderr } = await run('results', 'cats', '--out', at('cats.csv'));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('cats.summary.json exists already') });
    expect(await readFile(mine, 'utf8')).toBe('{"job":"cats"}');
    expect(await readdir(folder.path)).toEqual(['cats.summary.json']);
  });
});

test('a report and a summary replace earlier ones', async () => {
  expect(await run('report', 'cats', '--out', at('page.html'))).toMatchObject({ code: 0 });
  expect(await run('report', 'cats', '--out', at('page.html'))).toMatchObject({ code: 0 });
  expect(await run('results', 'cats', '--out', at('one.csv'))).toMatchObject({ code: 0 });
  expect(await run('results', 'cats', '--out', at('two.csv'))).toMatchObject({ code: 0 });
  expect((await readdir(folder.path)).sort()).toEqual(['cats.summary.json', 'one.csv', 'page.html', 'two.csv']);
});

test.each(['cats.xlsx', 'cats.json', 'cats.txt.gz', 'cats.parquet.gz', 'cats.gz.zip'])(
  'the ending of %s is refused with those that there are',
  async (name) => {
    const { code, stderr } = await run('results', 'cats', '--out', at(name));
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected a name that ends in \.jsonl, \.csv, .* or --format|compressed as it is/);
    expect(await readdir(folder.path)).toEqual([]);
  },
);

test.each([
  ['results', 'jsonl'],
  ['results', 'csv'],
  ['failures', 'jsonl'],
  ['failures', 'csv'],
])('%s in .%s.gz are the same, compressed', async (command, format) => {
  const file = at(`cats.${format}.gz`);
  expect(await run(command, 'cats', '--out', file)).toMatchObject({ code: 0 });
  const { stdout } = await run(command, 'cats', '--format', format);
  // A CSV file begins with a byte order mark, for Excel.
  const mark = format === 'csv' ? '\uFEFF' : '';
  expect(gunzipSync(await readFile(file)).toString()).toBe(mark + stdout);
});

describe('a path that cannot be written to is named in one line by', () => {
  const ARGUMENTS = [
    ['results', 'cats', '--format', 'csv'],
    ['failures', 'cats', '--format', 'jsonl'],
    ['report', 'cats'],
    ['redrive', '--unreadable'],
  ];

  test.each(ARGUMENTS)('%s %s %s when the disk is full', async (...args) => {
    const { code, stderr } = await run(...args.filter(Boolean), '--out', '/dev/full');
    expect(stderr).toMatch(
      /^((read|fetched).*\n|.*with an outcome.*\n)*labelqueue: \/dev\/full: no space left on the disk\n$/,
    );
    expect(code).toBe(1);
  });

  test.each(ARGUMENTS)('%s %s %s when a part of its path is a file', async (...args) => {
    await folder.write('file', '');
    const place = at('file/out');
    const { code, stderr } = await run(...args.filter(Boolean), '--out', place);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `labelqueue: ${place}: a part of the path is not a folder\n` });
  });

  test('enqueue, of the rows that it leaves out', async () => {
    const list = await folder.write('list.txt', 'https://host/a.jpg\nnot a URL\n');
    await writeFile(at('gone.invalid.txt'), '');
    const { code, stderr } = await limited(0, ['enqueue', list, '--job', 'gone', '--skip-invalid'], folder.path);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/\nlabelqueue: .*gone\.invalid\.txt: the file would be larger .*\n$/),
    });
  });

  test('report, when its file is cut short', async () => {
    const { code, stderr } = await limited(200, ['report', 'cats', '--out', at('page.html')], folder.path);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        `labelqueue: ${at('page.html')}: the file would be larger than this system allows\n`,
      ),
    });
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('results, when there is no room for temporary files', async () => {
    const { code, stderr } = await limited(1, ['results', 'cats'], folder.path);
    expect(stderr).toMatch(/^labelqueue: .*labelqueue-.*; temporary files go where TMPDIR says\n$/m);
    expect(stderr).not.toMatch(/\.ts:|bug/);
    expect(code).toBe(1);
  });
});

test.each([
  ['status', 'cats', '--json'],
  ['results', 'cats'],
  ['classify', '--json', 'gone.jpg'],
])('%s %s on a full disk names standard output', async (...args) => {
  const { code, stderr } = await throughShell('exec "$0" "$@" >/dev/full', args);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/(^|\n)labelqueue: standard output: no space left on the disk\n$/),
  });
});

/** @param blocks of 512 bytes that a file may have; a write beyond fails as on a full disk */
function limited(blocks: number, args: string[], cwd: string): Promise<{ code: number; stderr: string }> {
  return throughShell(`trap '' XFSZ; ulimit -f ${blocks}; exec "$0" "$@"`, args, cwd);
}

async function throughShell(script: string, args: string[], cwd?: string): Promise<{ code: number; stderr: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('sh', ['-c', script, process.execPath, MAIN, ...args], {
    env: { PATH, HOME, ...aws.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, stderr };
}
