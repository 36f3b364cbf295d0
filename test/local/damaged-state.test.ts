import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';

let folder: TemporaryFolder;
let running: TestAws | undefined;
let notices: string[];

beforeEach(async () => {
  folder = await createTemporaryFolder();
  notices = [];
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await folder[Symbol.asyncDispose]();
});

async function start(): Promise<TestAws> {
  running = await startTestAws({ dataDir: folder.path, onNotice: (text) => notices.push(text) });
  return running;
}

/** Starts once, fills queue and bucket, stops, and gives the path of the bucket's folder. */
async function stateWith(...keys: string[]): Promise<string> {
  const aws = await start();
  await aws.send('waiting');
  for (const Key of keys) {
    await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body: `this is ${Key}` }));
  }
  await aws.stop();
  running = undefined;
  return join(folder.path, 's3/buckets/labelqueue');
}

async function objects({ target: { s3, resultsBucket: Bucket } }: TestAws): Promise<Record<string, string>> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const texts: Record<string, string> = {};
  for (const { Key = '' } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    texts[Key] = (await Body?.transformToString()) ?? '';
  }
  return texts;
}

const DAMAGES: [string, (path: string) => Promise<void>][] = [
  ['an empty description', (path) => truncate(`${path}.meta.json`)],
  ['half a description', (path) => truncate(`${path}.meta.json`, 20)],
  ['a description of nothing', (path) => writeFile(`${path}.meta.json`, '{}')],
  ['a description that is a list', (path) => writeFile(`${path}.meta.json`, '[]')],
  ['a description of another object', (path) => copyFile(join(path, '../a.meta.json'), `${path}.meta.json`)],
  ['a key that leads out', (path) => editKey(path, '../../../../../../etc/passwd')],
  ['half its data', (path) => truncate(`${path}.data`, 3)],
  ['a date that is none', (path) => edit(path, /"lastModified":"[^"]*"/, '"lastModified":"yesterday"')],
];

async function edit(path: string, from: RegExp, to: string): Promise<void> {
  const file = `${path}.meta.json`;
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
}

function editKey(path: string, key: string): Promise<void> {
  return edit(path, /"key":"[^"]*"/, `"key":"${key}"`);
}

test.each(DAMAGES)('an object with %s costs only itself: a line names its file', async (_damage, damage) => {
  const bucket = await stateWith('x/a', 'x/b');
  await damage(join(bucket, 'objects/x/b'));
  const aws = await start();
  expect(await objects(aws)).toEqual({ 'x/a': 'this is x/a' });
  expect(aws.queued().map(({ body }) => body)).toEqual(['waiting']);
  const file = join(bucket, 'objects/x/b.meta.json');
  expect(notices).toEqual([
    expect.stringMatching(`^${file} is damaged \\(.+\\): .* the file was renamed to ${file}\\.damaged$`),
  ]);

  await aws.stop();
  notices = [];
  const again = await start();
  expect(notices).toEqual([]);
  await again.target.s3.send(new PutObjectCommand({ Bucket: 'labelqueue', Key: 'x/b', Body: 'new' }));
  expect(await objects(again)).toEqual({ 'x/a': 'this is x/a', 'x/b': 'new' });
});

test('a bucket whose file is damaged keeps its objects', async () => {
  const bucket = await stateWith('a');
  await truncate(join(bucket, '.bucket.json'));
  expect(await objects(await start())).toEqual({ a: 'this is a' });
  expect(notices).toEqual([expect.stringContaining('.bucket.json is damaged (it is empty)')]);
});

test('an upload whose file is damaged costs only itself', async () => {
  const before = await start();
  const target = { Bucket: 'labelqueue', Key: 'big' };
  const { UploadId = '' } = await before.target.s3.send(new CreateMultipartUploadCommand(target));
  await before.target.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }));
  await before.stop();
  await truncate(join(folder.path, 's3/_multipart', UploadId, '.upload.json'));
  expect(await objects(await start())).toEqual({});
  expect(notices).toEqual([expect.stringContaining(`${UploadId} is damaged`)]);
});

test.each([
  ['is not a database', (file: string) => writeFile(file, 'not a database at all'.repeat(100))],
  ['has pages of something else', (file: string) => scribble(file)],
])('a queue database that %s costs only the messages', async (_damage, damage) => {
  await stateWith('a');
  await damage(join(folder.path, 'fauxqs.db'));
  const aws = await start();
  expect(await objects(aws)).toEqual({ a: 'this is a' });
  expect(aws.queued()).toEqual([]);
  expect(notices).toEqual([expect.stringMatching(/fauxqs\.db is damaged .* queues start empty/)]);
  await aws.send('new');
  expect(aws.queued().map(({ body }) => body)).toEqual(['new']);
});

/** Leaves the header whole. */
async function scribble(file: string): Promise<void> {
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill(0x5a, 4_096));
}

test('credentials that are damaged are made anew', async () => {
  await stateWith();
  await truncate(join(folder.path, 'credentials.json'));
  expect(await objects(await start())).toEqual({});
});

test('what a kill in the middle of a write has left is deleted', async () => {
  const bucket = await stateWith('a');
  await writeFile(join(bucket, 'objects/b.data%new'), 'half');
  await writeFile(join(bucket, 'objects/a.meta.json%new'), '{"key"');
  expect(await objects(await start())).toEqual({ a: 'this is a' });
  expect(notices).toEqual([]);
  expect((await readdir(join(bucket, 'objects'))).toSorted()).toEqual(['a.data', 'a.meta.json']);
});

test('an object whose data goes while the service runs is not found', async () => {
  const bucket = await stateWith('a');
  const aws = await start();
  await rm(join(bucket, 'objects/a.data'));
  const get = aws.target.s3.send(new GetObjectCommand({ Bucket: 'labelqueue', Key: 'a' }));
  await expect(get).rejects.toMatchObject({ name: 'NoSuchKey' });
});
