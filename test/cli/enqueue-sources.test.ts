import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from '@jest/globals';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const { aws, folder } = await commandTests();
beforeEach(() => aws.clear());

function enqueue(...args: string[]) {
  return runCommand(['enqueue', ...args], { environment: aws.environment });
}

function urlsInQueue(): string[] {
  return aws
    .queued()
    .flatMap(({ body }) => {
      const message = parseMessage(body);
      return message instanceof MalformedMessage ? [] : message.images.map(({ url }) => url);
    })
    .sort();
}

test('every image under a prefix is sent, except those that a glob excludes', async () => {
  for (const Key of ['in/a.jpg', 'in/deep/b.PNG', 'in/c.txt', 'in/draft/d.jpg', 'out/e.jpg']) {
    await aws.target.s3.send(new PutObjectCommand({ Bucket: 'labelqueue', Key, Body: 'x' }));
  }
  const { code, stdout } = await enqueue('s3://labelqueue/in/', '--exclude', 'draft/**', '--job', 'prefix');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'job prefix: 2 images in 1 message\n' });
  expect(urlsInQueue()).toEqual(['s3://labelqueue/in/a.jpg', 's3://labelqueue/in/deep/b.PNG']);
});

test('the images of a local folder are uploaded first, and sent from there', async () => {
  const photos = join(import.meta.dirname, '../../samples/photos');
  const { code } = await enqueue(photos, '--include', '*.webp', '--include', '*.gif', '--job', 'local');
  expect(code).toBe(0);
  expect(urlsInQueue()).toEqual([
    's3://labelqueue/jobs/local/images/coffee.webp',
    's3://labelqueue/jobs/local/images/rocket-animated.gif',
  ]);
});

test('invalid rows stop the command before anything is sent, or are saved to a file', async () => {
  const source = await folder.write('mixed.csv', 'url\nhttps://host/a.jpg\nnonsense\nhttps://host/b.jpg\n');
  const stopped = await enqueue(source);
  expect(stopped).toMatchObject({ code: 1, stdout: '' });
  expect(stopped.stderr).toContain('line 3: expected a http, https or s3 URL, got "nonsense"');
  expect(stopped.stderr).toContain('1 invalid row; nothing was sent');
  expect(aws.queued()).toEqual([]);

  const job = `skipped-${process.pid}`;
  const { code, stdout } = await enqueue(source, '--skip-invalid', '--job', job);
  const kept = `${job}.invalid.csv`;
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `job ${job}: 2 images in 1 message; 1 invalid row in ${kept}\n`,
  });
  expect(await readFile(kept, 'utf8')).toBe(
    'url,labelqueue_problem\nnonsense,"expected a http, https or s3 URL, got ""nonsense"""\n',
  );
  await rm(kept);
});

test('the source of an invalid row is named when there are several, and a dry run writes no file', async () => {
  const [good, bad] = [await folder.write('good.txt', 'https://host/a.jpg\n'), await folder.write('bad.txt', 'no\n')];
  const job = `named-${process.pid}`;
  const { code, stderr } = await enqueue(good, bad, '--skip-invalid', '--dry-run', '--job', job);
  expect(code).toBe(0);
  expect(stderr).toContain(`${bad}, line 1: expected a http, https or s3 URL, got "no"`);
  await expect(readFile(`${job}.invalid.txt`)).rejects.toThrow('ENOENT');
});

test('a dry run sends nothing, and prints what would be sent and what it would cost', async () => {
  const source = await folder.write('dry.txt', 'https://host/a.jpg\nhttps://other/b.jpg\nhttps://host/a.jpg\n');
  const { code, stdout } = await enqueue(source, '--dry-run', '--json', '--job', 'dry');
  expect(code).toBe(0);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ job: 'dry', images: 2, messages: 1, duplicates: 1, hosts: { host: 1, other: 1 } });
  expect(told.cost.totalUsd).toBeGreaterThan(0);
  // An estimate says which processor it is of.
  expect(told.assumed).toMatchObject({ processor: 'AVX2, x86_64', memoryMb: 1_769 });
  expect(told.workerSeconds).toBeCloseTo((2 * told.assumed.millisecondsPerImage) / 1_000, 9);
  const text = (await enqueue(source, '--dry-run', '--job', 'dry')).stdout;
  expect(text).toContain('images         2\n');
  expect(text).toMatch(/Lambda +\$[\d.]+ \(assumed: AVX2, x86_64, 1,769 MB, [\d.]+ ms per image\)\n/);
  expect(aws.queued()).toEqual([]);
});

test('larger jobs have more images per message, unless it is configured; a dry run prints the number', async () => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `https://host/${index}.jpg\n`);
  const [small, large] = [
    await folder.write('small.txt', lines(3_000)),
    await folder.write('large.txt', lines(70_000)),
  ];
  const dryRun = async (...args: string[]) => JSON.parse((await enqueue(...args, '--dry-run', '--json')).stdout);
  expect(await dryRun(small)).toMatchObject({ messages: 94, perMessage: 32 });
  expect(await dryRun(large)).toMatchObject({ messages: 560, perMessage: 125 });
  expect(await dryRun(large, '--per-message', '100')).toMatchObject({ messages: 700, perMessage: 100 });
  const { stdout } = await enqueue(large, '--dry-run');
  expect(stdout).toContain('560 of up to 125 images (chosen by the number of images; --per-message N to change it), ');
  const told = await enqueue(large, '--dry-run', '--per-message', '100');
  expect(told.stdout).toMatch(/700 of up to 100 images, \d+\.\d MB\n/);
  const input = lines(70_000);
  const piped = await runCommand(['enqueue', '-', '--job', 'piped'], { environment: aws.environment, input });
  expect(piped).toMatchObject({ code: 0, stdout: 'job piped: 70000 images in 560 messages\n' });
});

test('a job that exists is refused, and resumed with the same images only', async () => {
  const source = await folder.write('job.txt', 'https://host/a.jpg\n');
  const other = await folder.write('other.txt', 'https://host/b.jpg\n');
  expect((await enqueue(source, '--job', 'twice')).code).toBe(0);
  const again = await enqueue(source, '--job', 'twice');
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringContaining('the job twice exists already: choose another name, --resume it, or purge twice first\n'),
  ]);
  const changed = await enqueue(other, '--job', 'twice', '--resume');
  expect([changed.code, changed.stderr]).toEqual([1, expect.stringContaining('started with other images')]);
  expect(await enqueue(source, '--job', 'twice', '--resume')).toMatchObject({
    code: 0,
    stdout: 'job twice: already enqueued: 1 image in 1 message, nothing sent\n',
  });
  expect(urlsInQueue()).toEqual(['https://host/a.jpg']);
});

test('standard input is read as a table when the format says so', async () => {
  const input = ['sku,url\n', 'X1,https://host/a.jpg\n'];
  const run = await runCommand(['enqueue', '-', '--format', 'csv', '--id-column', 'sku'], {
    environment: aws.environment,
    input,
  });
  expect(run.code).toBe(0);
  expect(aws.queued().map(({ body }) => JSON.parse(body).images)).toEqual([[{ id: 'X1', url: 'https://host/a.jpg' }]]);
});

test('a missing column is named, with the existing ones', async () => {
  const source = await folder.write('no-url.csv', 'name,link\na,https://host/a.jpg\n');
  const { code, stderr } = await enqueue(source);
  expect([code, stderr]).toEqual([1, expect.stringContaining('got name, link')]);
  expect(aws.queued()).toEqual([]);
});
