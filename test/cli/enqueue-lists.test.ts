import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ImageRef } from '../../shared/contract/message.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';

const { aws, folder } = await commandTests();
const kept: string[] = [];
afterEach(async () => {
  aws.clear();
  for (const path of kept.splice(0)) await rm(path);
});

function enqueue(...args: string[]) {
  return runCommand(['enqueue', ...args], { environment: aws.environment });
}

function imagesInQueue(): ImageRef[] {
  return aws.queued().flatMap(({ body }) => (parseMessage(body) as { images: ImageRef[] }).images);
}

const url = (index: number | string) => `https://host/${index}.jpg`;

test('every character of a list reaches the queue, as do the digits of its numbers', async () => {
  const meta = '{"title":"Cat 🐱 𠮷","tweet":1234567890123456789,"price":1.10}';
  const source = await folder.write('a.jsonl', `{"url":"https://host/🐱.jpg","id":"🐱","meta":${meta}}\n`);
  expect(await enqueue(source, '--job', 'characters')).toMatchObject({ code: 0 });
  const [image] = imagesInQueue();
  expect(image).toMatchObject({ id: '🐱', url: 'https://host/🐱.jpg' });
  expect(JSON.stringify(image?.meta)).toBe(meta);
});

test('every character and digit survives results, failures, redrive and their readers', async () => {
  const rows = ['cat 🐱', 'missing 🐱', 'half \\ud83d', 'missing half \\ud83d'].map(
    (id, index) => `{"url":"${url(index)}","id":"${id}","meta":{"t":"🐱 \\ud83d","n":1234567890123456789}}\n`,
  );
  const source = await folder.write('a.jsonl', rows.join(''));
  expect(await enqueue(source, '--job', 'all')).toMatchObject({ code: 0 });
  await workQueueEmpty(aws, catsButMissing);
  expect(aws.deadLetters()).toHaveLength(2);
  const run = (...args: string[]) => runCommand(args, { environment: aws.environment });
  expect(await run('redrive', 'all')).toMatchObject({ code: 0 });
  expect(aws.queued()).toHaveLength(1);
  await workQueueEmpty(aws, () => catsButMissing({ id: 'cat', url: '' }));
  const { code, stdout } = await run('results', 'all', '--in-order');
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).id)).toEqual([
    'cat 🐱',
    'missing 🐱',
    'half \\ud83d',
    'missing half \\ud83d',
  ]);
  const stored = await aws.partKeys('results', 'all');
  for (const Key of stored) {
    const { Body } = await aws.target.s3.send(new GetObjectCommand({ Bucket: aws.target.resultsBucket, Key }));
    const text = (await Body?.transformToString()) ?? '';
    for (const line of text.trimEnd().split('\n')) expect(line).toContain('"n":1234567890123456789');
  }
  expect(stored.length).toBeGreaterThan(0);
});

test('each of hundreds of thousands of invalid rows of a list is kept, in little memory', async () => {
  const source = await folder.write('bad.txt', `${url(1)}\n${'nonsense\n'.repeat(400_000)}`);
  const job = `kept-${process.pid}-many`;
  kept.push(`${job}.invalid.txt`);
  const { code, stdout } = await runCommand(['enqueue', source, '--skip-invalid', '--job', job], {
    environment: aws.environment,
    execArgv: ['--max-old-space-size=100'],
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('400000 invalid rows') });
  const text = await readFile(`${job}.invalid.txt`, 'utf8');
  expect(text.match(/^nonsense$/gm)).toHaveLength(400_000);
});

test('rows with other meta get the same ids of their own when a job is resumed', async () => {
  const source = await folder.write('a.csv', `url,n\n${url(1)},1\n${url(1)},2\n${url(1)},1\n`);
  expect((await enqueue(source, '--meta', '--job', 'rows')).stdout).toContain('2 images in 1 message; 1 exact repet');
  expect(imagesInQueue()).toEqual([
    { id: url(1), url: url(1), meta: { n: '1' } },
    { id: expect.stringMatching(/#[0-9a-f]{16}$/), url: url(1), meta: { n: '2' } },
  ]);
  expect(await enqueue(source, '--meta', '--job', 'rows', '--resume')).toMatchObject({ code: 0 });
});

describe('a dry run', () => {
  test('needs no AWS, no settings and no service, also for a folder', async () => {
    const images = join(folder.path, 'images');
    await folder.write('list.csv', `id;image_url;url\n7;${url(1)};https://host/page\n`);
    const list = await runCommand(['enqueue', join(folder.path, 'list.csv'), '--dry-run', '--meta']);
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toContain('CSV, utf-8, delimiter ";"');
    expect(list.stdout).toContain('URL from "image_url" (not from "url"); id from "id"; meta from "url"');
    expect(list.stdout).toContain(`first image    id   "7"\n               URL  "${url(1)}"\n`);
    expect(list.stdout).toContain('meta {"url":"https://host/page"}');
    await mkdir(images);
    await folder.write('images/a.jpg', '');
    await folder.write('images/b.heic', '');
    const uploaded = await runCommand(['enqueue', images, '--dry-run']);
    expect(uploaded).toMatchObject({ code: 0, stderr: '' });
    expect(uploaded.stdout).toContain('left out     1: .heic: not an ending of images');
  });

  test('prints the same as JSON', async () => {
    const source = await folder.write('a.tsv', `URL\tt\n${url(1)}\tx\n`);
    const { stdout } = await runCommand(['enqueue', source, '--dry-run', '--json', '--meta']);
    expect(JSON.parse(stdout)).toMatchObject({
      first: { id: url(1), url: url(1), meta: { t: 'x' } },
      sources: [{ format: 'tsv', encoding: 'utf-8', delimiter: '\t', columns: { url: 'URL', meta: ['t'] } }],
    });
  });

  test('names a row that the queue would refuse', async () => {
    const large = JSON.stringify({ url: url(2), meta: { text: 'x'.repeat(1_100_000) } });
    const source = await folder.write('a.jsonl', `${url(1)}\n${large}\n`);
    const { code, stderr } = await runCommand(['enqueue', source, '--dry-run', '--skip-invalid']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^line 2: expected at most \d+ bytes/) });
  });
});

test('prints how a list was read before anything is sent', async () => {
  const source = await folder.write('a.csv', `sep=|\nurl|t\n${url(1)}|x\n`);
  const { stderr } = await enqueue(source, '--job', 'shown', '--meta');
  expect(stderr).toMatch(
    /^source .*CSV, utf-8, delimiter "\|"\n {2}columns .*\nfirst image .*\n.*\n.*meta \{"t":"x"\}\n/,
  );
});

test.each([
  ['--encoding', 'utf-9', 1, /--encoding to be a label/],
  ['--delimiter', 'ab', 2, /Expected one character/],
])('%s %s is refused', async (option, value, code, message) => {
  const source = await folder.write('a.csv', 'url\n');
  expect(await enqueue(source, option, value)).toMatchObject({ code, stderr: expect.stringMatching(message) });
});

describe('invalid rows are kept in a file that is enqueued as it is once they are fixed:', () => {
  test.each([
    ['lines', 'a.txt', `${url(1)}\nbroken/2.jpg\n# a comment\n{"url":"broken/3.jpg","meta":{"n":1.10}}\n`, 'txt'],
    ['CSV', 'b.csv', `url;n\n${url(1)};a\nbroken/2.jpg;b\nbroken/3.jpg;"c;\nd"\n`, 'csv'],
    ['TSV', 'c.tsv', `n\turl\na\t${url(1)}\nb\tbroken/2.jpg\n"c\tbroken/3.jpg\n`, 'tsv'],
    ['UTF-16', 'd.csv', Buffer.from(`\uFEFFurl,n\n${url(1)},a\nbroken/2.jpg,猫\nbroken/3.jpg,🐱\n`, 'utf16le'), 'csv'],
  ])('%s', async (what, name, content, ending) => {
    const source = await folder.write(name, content);
    const job = `kept-${process.pid}-${what.toLowerCase()}`;
    const path = `${job}.invalid.${ending}`;
    kept.push(path);
    const { code, stdout } = await enqueue(source, '--meta', '--skip-invalid', '--job', job);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`2 invalid rows in ${path}`) });
    const text = await readFile(path, 'utf8');
    expect(text.match(/expected a http, https or s3 URL/g)).toHaveLength(2);

    const again = await enqueue(path, '--meta', '--dry-run', '--skip-invalid');
    expect(again.stderr.match(/expected a http, https or s3 URL/g)).toHaveLength(2);
    aws.clear();
    await writeFile(path, text.replaceAll('broken/', 'https://host/'));
    expect(await enqueue(path, '--meta', '--job', `${job}-fixed`)).toMatchObject({ code: 0 });
    const sent = imagesInQueue();
    expect(sent.map((image) => image.url)).toEqual([url(2), url(3)]);
    expect(JSON.stringify(sent)).not.toContain('labelqueue_problem');
  });

  test('rows with malformed quotes or fields stay invalid until they are fixed', async () => {
    const source = await folder.write(
      'e.csv',
      `url,n\n${url(1)},a\n${url(2)},"b\n${url(3)}\n${url(4)},"c" d\n${url(5)},e,f\n`,
    );
    const job = `kept-${process.pid}-quotes`;
    const path = `${job}.invalid.csv`;
    kept.push(path);
    expect(await enqueue(source, '--meta', '--skip-invalid', '--job', job)).toMatchObject({ code: 0 });
    const again = await enqueue(path, '--meta', '--job', `${job}-again`);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('4 invalid rows; nothing was sent') });
  });

  test('a row with a repeated id is kept as it was, and a second failure replaces the reason', async () => {
    const source = await folder.write('f.csv', `id,url,n\n1,${url(1)},a\n1,${url(2)},"b, c"\n`);
    const job = `kept-${process.pid}-ids`;
    kept.push(`${job}.invalid.csv`, `${job}.invalid-2.csv`);
    await enqueue(source, '--meta', '--skip-invalid', '--job', job);
    const text = await readFile(`${job}.invalid.csv`, 'utf8');
    expect(text).toMatch(/^id,url,n,labelqueue_problem\n1,https:\/\/host\/2.jpg,"b, c","expected each id for one URL/);
    await writeFile(`${job}.invalid.csv`, text.replace('https:', 'broken:'));
    const good = await folder.write('good.txt', `${url(9)}\n`);
    const { stdout } = await enqueue(`${job}.invalid.csv`, good, '--meta', '--skip-invalid', '--job', job, '--resume');
    expect(stdout).toBe('');
    const again = await readFile(`${job}.invalid-2.csv`, 'utf8');
    expect(again).toMatch(/^id,url,n,labelqueue_problem\n1,broken:\/\/host\/2.jpg,"b, c","expected a http[^\n]*"\n$/);
  });
});
