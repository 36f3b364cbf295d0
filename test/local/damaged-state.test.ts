import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import type { TestAws } from '../../testkit/test-aws.ts';
import { restartableAws } from '../support/restartable-aws.ts';

const { dataDir, notices, restart, stop } = restartableAws();

/** Starts once, fills queue and bucket, stops, and gives the path of the bucket's folder. */
async function stateWith(...keys: string[]): Promise<string> {
  const aws = await restart();
  await aws.send('waiting');
  for (const Key of keys) {
    await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body: `this is ${Key}` }));
  }
  await stop();
  return join(dataDir(), 's3/buckets/labelqueue');
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

test.each(DAMAGES)('an object with %s is lost alone: a line names its file', async (_damage, damage) => {
  const bucket = await stateWith('x/a', 'x/b');
  await damage(join(bucket, 'objects/x/b'));
  const aws = await restart();
  expect(await objects(aws)).toEqual({ 'x/a': 'this is x/a' });
  expect(aws.queued().map(({ body }) => body)).toEqual(['waiting']);
  const file = join(bucket, 'objects/x/b.meta.json');
  expect(notices).toEqual([
    expect.stringMatching(`^${file} is damaged \\(.+\\): .* the file is now ${file}\\.damaged$`),
  ]);

  await aws.stop();
  notices.length = 0;
  const again = await restart();
  expect(notices).toEqual([]);
  await again.target.s3.send(new PutObjectCommand({ Bucket: 'labelqueue', Key: 'x/b', Body: 'new' }));
  expect(await objects(again)).toEqual({ 'x/a': 'this is x/a', 'x/b': 'new' });
});

test('a bucket whose file is damaged keeps its objects', async () => {
  const bucket = await stateWith('a');
  await truncate(join(bucket, '.bucket.json'));
  expect(await objects(await restart())).toEqual({ a: 'this is a' });
  expect(notices).toEqual([expect.stringContaining('.bucket.json is damaged (it is empty)')]);
});

test('an upload whose file is damaged is lost alone', async () => {
  const before = await restart();
  const target = { Bucket: 'labelqueue', Key: 'big' };
  const { UploadId = '' } = await before.target.s3.send(new CreateMultipartUploadCommand(target));
  await before.target.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }));
  await before.stop();
  await truncate(join(dataDir(), 's3/_multipart', UploadId, '.upload.json'));
  expect(await objects(await restart())).toEqual({});
  expect(notices).toEqual([expect.stringContaining(`${UploadId} is damaged`)]);
});

test.each([
  ['is not a database', (file: string) => writeFile(file, 'not a database at all'.repeat(100))],
  ['has pages of something else', (file: string) => scribble(file)],
])('with a queue database that %s, only the messages are lost', async (_damage, damage) => {
  await stateWith('a');
  await damage(join(dataDir(), 'fauxqs.db'));
  const aws = await restart();
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

test('damaged credentials are created again', async () => {
  await stateWith();
  await truncate(join(dataDir(), 'credentials.json'));
  expect(await objects(await restart())).toEqual({});
});

test('files of a write that was killed are deleted', async () => {
  const bucket = await stateWith('a');
  await writeFile(join(bucket, 'objects/b.data%new'), 'half');
  await writeFile(join(bucket, 'objects/a.meta.json%new'), '{"key"');
  expect(await objects(await restart())).toEqual({ a: 'this is a' });
  expect(notices).toEqual([]);
  expect((await readdir(join(bucket, 'objects'))).toSorted()).toEqual(['a.data', 'a.meta.json']);
});

test('an object whose data disappears while the service runs is not found', async () => {
  const bucket = await stateWith('a');
  const aws = await restart();
  await rm(join(bucket, 'objects/a.data'));
  const get = aws.target.s3.send(new GetObjectCommand({ Bucket: 'labelqueue', Key: 'a' }));
  await expect(get).rejects.toMatchObject({ name: 'NoSuchKey' });
});
