import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, expect, test } from '@jest/globals';
import { readFolder, uploadFolder } from '../../cli/enqueue/sources/folder-source.ts';
import { readS3Prefix } from '../../cli/enqueue/sources/s3-prefix-source.ts';
import { SourceReading } from '../../cli/enqueue/sources/source-reading.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const FILTER = { include: [], exclude: [] };

const [aws, folder] = await sharedByTests(startTestAws(), createTemporaryFolder());
const images = join(folder.path, 'images');
afterEach(async () => {
  aws.clear();
  await rm(images, { recursive: true, force: true });
});

async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(images, name, '..'), { recursive: true });
    await writeFile(join(images, name), name);
  }
}

function idsOf(rows: readonly SourceRow[]): string[] {
  return rows.map((row) => ('image' in row ? row.image.id : row.problem));
}

async function readImages(): Promise<{ ids: string[]; leftOut: object }> {
  const reading = new SourceReading();
  const rows = await Array.fromAsync(readFolder({ path: images, job: 'job', filter: FILTER }, 'bucket', reading));
  return { ids: idsOf(rows), leftOut: Object.fromEntries(reading.leftOut) };
}

test('every file extension of a supported image format is included, in any case', async () => {
  const names = ['a.jpg', 'b.JPEG', 'c.jpe', 'd.jfif', 'e.png', 'f.webp', 'g.gif', 'h.avif', 'i.tif', 'j.TIFF'];
  await write(...names);
  expect((await readImages()).ids).toEqual(names);
});

test('skipped files are counted by reason', async () => {
  await write('a.jpg', 'b.heic', 'c.heic', 'd.txt', 'README');
  const { ids, leftOut } = await readImages();
  expect(ids).toEqual(['a.jpg']);
  expect(leftOut).toEqual({
    '.heic: not an ending of images (see --include)': 2,
    '.txt: not an ending of images (see --include)': 1,
    'no or another ending: not an ending of images (see --include)': 1,
  });
});

test('a folder with the name of an image is a folder', async () => {
  await write('a.jpg', 'album.jpg/b.jpg', 'album.jpg/deep.png/c.jpg');
  expect(await readImages()).toEqual({ ids: ['a.jpg', 'album.jpg/b.jpg', 'album.jpg/deep.png/c.jpg'], leftOut: {} });
});

test('names are in the order of their full paths, as in S3', async () => {
  await write('a/b.jpg', 'a-b.jpg', 'a.jpg', 'ab.jpg', 'a/B.jpg');
  expect((await readImages()).ids).toEqual(['a-b.jpg', 'a.jpg', 'a/B.jpg', 'a/b.jpg', 'ab.jpg']);
});

test('links to files are followed; links to folders and broken links are counted', async () => {
  await write('a.jpg', 'sub/b.jpg');
  await symlink(join(images, 'a.jpg'), join(images, 'link.jpg'));
  await symlink(images, join(images, 'sub', 'round'));
  await symlink(join(images, 'gone.jpg'), join(images, 'broken.jpg'));
  expect(await readImages()).toEqual({
    ids: ['a.jpg', 'link.jpg', 'sub/b.jpg'],
    leftOut: { 'links to folders': 1, 'links that lead nowhere': 1 },
  });
});

test('a name that is not UTF-8, and one that is too long for a key, are counted', async () => {
  await write('a.jpg');
  await writeFile(Buffer.concat([Buffer.from(`${images}/caf`), Buffer.from([0xe9]), Buffer.from('.jpg')]), '');
  await write(`${'d'.repeat(250)}/${'d'.repeat(250)}/${'d'.repeat(250)}/${'d'.repeat(250)}/${'d'.repeat(50)}.jpg`);
  const { ids, leftOut } = await readImages();
  expect(ids).toEqual(['a.jpg']);
  expect(Object.values(leftOut)).toEqual([1, 1]);
  expect(Object.keys(leftOut).join()).toMatch(/too long for a key.*not UTF-8|not UTF-8.*too long for a key/);
});

test('files and folders that cannot be read are counted', async () => {
  await write('a.jpg', 'closed.jpg', 'closed/b.jpg');
  await chmod(join(images, 'closed.jpg'), 0);
  await chmod(join(images, 'closed'), 0);
  const { ids, leftOut } = await readImages();
  await chmod(join(images, 'closed'), 0o700);
  // Nothing is closed to root.
  const isRoot = process.getuid?.() === 0;
  expect(ids).toEqual(isRoot ? ['a.jpg', 'closed.jpg', 'closed/b.jpg'] : ['a.jpg']);
  expect(Object.keys(leftOut)).toHaveLength(isRoot ? 0 : 2);
});

test('exactly the uploaded files are enqueued', async () => {
  await write('a b+c.jpg', 'sub/größe 🐱.jpg', 'x.txt');
  const path = { path: images, job: 'job', filter: FILTER };
  expect(await uploadFolder(aws.target, path)).toBe(2);
  const uploaded = await Array.fromAsync(
    readS3Prefix(aws.target.s3, { bucket: aws.target.resultsBucket, prefix: 'jobs/job/images/' }, FILTER),
  );
  const enqueued = await Array.fromAsync(readFolder(path, aws.target.resultsBucket));
  const urls = (rows: SourceRow[]) => rows.map((row) => ('image' in row ? row.image.url : ''));
  expect(urls(uploaded)).toEqual(urls(enqueued));
});

test('keys with dots, slashes, spaces and plus signs are included, and others are counted', async () => {
  const Bucket = aws.target.resultsBucket;
  const keys = ['in/a b+c.jpg', 'in/a%20b.jpg', 'in//double.jpg', 'in/ü.jfif', 'in/x.txt', 'in/folder/'];
  for (const Key of keys) await aws.target.s3.send(new PutObjectCommand({ Bucket, Key, Body: '', ContentLength: 0 }));
  const reading = new SourceReading();
  const rows = await Array.fromAsync(readS3Prefix(aws.target.s3, { bucket: Bucket, prefix: 'in/' }, FILTER, reading));
  expect(idsOf(rows).toSorted()).toEqual(
    keys
      .slice(0, 4)
      .map((key) => `s3://${Bucket}/${key}`)
      .toSorted(),
  );
  expect([...reading.leftOut.values()]).toEqual([1]);
});
