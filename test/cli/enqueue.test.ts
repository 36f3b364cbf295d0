import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, expect, test } from '@jest/globals';
import type { QueueMessage } from '../../shared/contract/message.ts';
import { jobKey } from '../../shared/contract/object-keys.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { type CommandRun, MAIN, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const { aws, folder } = await commandTests();

afterEach(() => aws.clear());

/** For what only a shell can do. */
async function runInShell(script: string): Promise<Pick<CommandRun, 'code' | 'stdout'>> {
  const environment = { ...process.env, ...aws.environment, NODE: process.execPath, MAIN };
  const shell = spawn('sh', ['-c', script], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  shell.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const [code] = await once(shell, 'close');
  return { code, stdout };
}

async function enqueue(content: string, ...options: string[]): Promise<CommandRun> {
  const file = await folder.write('images.txt', content);
  return runCommand(['enqueue', file, ...options], { environment: aws.environment });
}

function enqueued(): QueueMessage[] {
  return aws.queued().map(({ body }) => {
    const message = parseMessage(body);
    if (message instanceof MalformedMessage) throw new Error(message.reason);
    return message;
  });
}

async function jobDescription(job: string): Promise<unknown> {
  const command = new GetObjectCommand({ Bucket: aws.target.resultsBucket, Key: jobKey(job) });
  const { Body } = await aws.target.s3.send(command);
  return JSON.parse((await Body?.transformToString()) ?? '');
}

test('sends the URLs of a file, and prints the job and the counts', async () => {
  const run = await enqueue(
    'https://example.com/a.jpg\n\n  s3://photos/b.jpg\r\nHTTP://example.com/c.jpg',
    '--job',
    'cats',
  );
  expect(run).toMatchObject({ code: 0, stdout: 'job cats: 3 images in 1 message\n' });
  const urls = ['https://example.com/a.jpg', 's3://photos/b.jpg', 'HTTP://example.com/c.jpg'];
  expect(enqueued()).toEqual([
    {
      job: 'cats',
      run: expect.stringMatching(/^[0-9a-f]{16}$/),
      attempt: 1,
      images: urls.map((url) => ({ id: url, url })),
    },
  ]);
});

test('sends JSON lines with their ids and meta', async () => {
  const images = [
    { id: 'row-17', url: 'https://example.com/a.jpg', meta: { sku: 'X1', tags: ['new', null], price: 2.5 } },
    { id: 'row-18', url: 'https://example.com/b.jpg' },
  ];
  const { code } = await enqueue(images.map((image) => JSON.stringify(image)).join('\n'), '--job', 'cats');
  expect(code).toBe(0);
  expect(enqueued()).toEqual([{ job: 'cats', run: expect.stringMatching(/^[0-9a-f]{16}$/), attempt: 1, images }]);
});

test('reads standard input for -', async () => {
  const { code, stdout } = await runCommand(['enqueue', '-'], {
    environment: aws.environment,
    input: ['https://example.com/a.jpg\nhttps://exam', 'ple.com/b.jpg\n'],
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^job stdin-\d{8}-\d{6}: 2 images in 1 message\n$/);
  expect(enqueued()[0]?.images.map(({ id }) => id)).toEqual(['https://example.com/a.jpg', 'https://example.com/b.jpg']);
});

test('puts the given number of images into each message, in order', async () => {
  const urls = Array.from({ length: 7 }, (_, index) => `https://example.com/${index}.jpg`);
  const { stdout } = await enqueue(urls.join('\n'), '--job', 'cats', '--per-message', '3');
  expect(stdout).toBe('job cats: 7 images in 3 messages\n');
  expect(enqueued().map(({ images }) => images.map(({ url }) => url))).toEqual([
    urls.slice(0, 3),
    urls.slice(3, 6),
    urls.slice(6),
  ]);
});

test("names the job after the file and the time, and writes the job's description", async () => {
  const { stdout } = await enqueue('https://example.com/a.jpg');
  const job = /^job (images-\d{8}-\d{6}): /.exec(stdout)?.[1] ?? '';
  expect(enqueued().map((message) => message.job)).toEqual([job]);
  expect(await jobDescription(job)).toMatchObject({ v: 1, job, images: 1, messages: 1, perMessage: 32 });
});

test.each([
  ['that is no URL', 'a.jpg', 'line 3'],
  ['with a scheme that is not fetched', 'ftp://example.com/a.jpg', 'line 3'],
  ['of JSON without a URL', '{"id":"a"}', 'url'],
  ['of JSON with a misspelt field', '{"url":"https://example.com/a.jpg","metta":{}}', 'metta'],
  ['of broken JSON', '{"url":"https://example.com/a.jpg"', 'line 3'],
])('sends nothing when the file has a line %s, and names the line', async (_what, line, named) => {
  const { code, stdout, stderr } = await enqueue(`https://example.com/1.jpg\n\n${line}\n`, '--per-message', '1');
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^line 3: /);
  expect(stderr).toContain(named);
  expect(aws.queued()).toEqual([]);
});

test('sends nothing when one image among many is too large for a message', async () => {
  const good = Array.from({ length: 50 }, (_, index) => `https://example.com/${index}.jpg`);
  const large = JSON.stringify({ url: 'https://example.com/large.jpg', meta: { text: 'x'.repeat(1_100_000) } });
  const { code, stderr } = await enqueue([...good, large].join('\n'), '--per-message', '1');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^line 51: expected at most .* https:\/\/example\.com\/large\.jpg$/m);
  expect(aws.queued()).toEqual([]);
});

test('reads a process substitution of the shell', async () => {
  const { code, stdout } = await runInShell(
    'echo https://example.com/a.jpg | "$NODE" "$MAIN" enqueue /dev/stdin --job piped',
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'job piped: 1 image in 1 message\n' });
  expect(enqueued()[0]?.images.map(({ id }) => id)).toEqual(['https://example.com/a.jpg']);
});

test('sends 200,000 images in less memory than they would take', async () => {
  const { code, stdout, stderr } = await runCommand(['enqueue', '-', '--job', 'many'], {
    environment: aws.environment,
    input: manyLines(200_000),
    // As objects, the images would be 95 MB; what is held at any time is about 20 MB.
    execArgv: ['--max-old-space-size=64', '--max-semi-space-size=4'],
  });
  expect(stderr).toContain('enqueued 200000/200000');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'job many: 200000 images in 1600 messages\n' });
  const ids = new Set(enqueued().flatMap(({ images }) => images.map(({ id }) => id)));
  expect(ids.size).toBe(200_000);
}, 120_000);

/** In chunks, as a pipe gives them. */
function* manyLines(count: number): Generator<string> {
  const filler = 'x'.repeat(240);
  for (let start = 0; start < count; start += 1_000) {
    yield Array.from(
      { length: 1_000 },
      (_, index) => `{"id":"image-${start + index}","url":"https://example.com/${start + index}/${filler}.jpg"}\n`,
    ).join('');
  }
}
