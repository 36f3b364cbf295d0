import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { downloadModel } from '../../shared/classifier/model/download-model.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { leftByKilledProcess } from '../support/left-behind.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { MEANS_MODEL, sha256, sumsOf } from './s3-model.ts';

const BUCKET = 'models';
const FILES = MEANS_MODEL;

const [aws] = await sharedByTests(startTestAws());
let temporary: TemporaryFolder;
let prefixes = 0;

beforeAll(async () => {
  aws.server.setup({ buckets: [BUCKET] });
});
beforeEach(async () => {
  temporary = await createTemporaryFolder();
});
afterEach(async () => {
  await temporary[Symbol.asyncDispose]();
});

/** Puts a model into S3 and gives its address and the hash of its list. */
async function upload(
  files: Record<string, Buffer>,
  sums = sumsOf(files),
): Promise<[uri: string, sha256: string, prefix: string]> {
  prefixes += 1;
  const prefix = `some/model-${prefixes}/`;
  const all: Record<string, Buffer> = { ...files, SHA256SUMS: Buffer.from(sums) };
  for (const [name, Body] of Object.entries(all)) await put(`${prefix}${name}`, Body);
  return [`s3://${BUCKET}/${prefix}`, sha256(sums), prefix];
}

async function put(Key: string, Body: Buffer): Promise<void> {
  await aws.target.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
}

async function refusal(uri: string, hash: string): Promise<string> {
  const error = await downloadModel(aws.target.s3, uri, hash, temporary.path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ModelFolderError);
  expect(await readdir(temporary.path)).toEqual([]);
  return (error as Error).message;
}

test('a model in S3 is loaded in place of the default one', async () => {
  const [uri, hash] = await upload(FILES);
  const settings = classifierSettingsFrom({ MODEL_S3_URI: uri, MODEL_SHA256: hash });
  const pipeline = await createPipeline(settings, aws.target.s3, temporary.path);
  expect(pipeline.classifier.id).toEqual({ name: 'means', version: '7' });
  await pipeline.close();
});

test('files that were downloaded once are not requested again', async () => {
  const [uri, hash, prefix] = await upload(FILES);
  const place = await downloadModel(aws.target.s3, uri, hash, temporary.path);
  await put(`${prefix}SHA256SUMS`, Buffer.from('something else'));
  expect(await downloadModel(aws.target.s3, uri, hash, temporary.path)).toBe(place);
  expect((await readdir(place)).sort()).toEqual(['classifier.json', 'labels.txt', 'saved_model.pb']);
});

test('files in subfolders of the model are downloaded, too', async () => {
  const variables = { 'variables/variables.index': Buffer.from('index') };
  const [uri, hash] = await upload({ ...FILES, ...variables });
  const place = await downloadModel(aws.target.s3, uri, hash, temporary.path);
  expect((await stat(join(place, 'variables/variables.index'))).size).toBe(5);
});

test('a file with another hash is refused, and nothing is left behind', async () => {
  const [uri, hash, prefix] = await upload(FILES);
  await put(`${prefix}labels.txt`, Buffer.from('rouge\nvert\nbleu\n'));
  expect(await refusal(uri, hash)).toMatch(
    /labels\.txt: expected the SHA-256 [0-9a-f]{64} from SHA256SUMS, got [0-9a-f]{64}: the download is discarded/,
  );
});

test('a list of files with another hash is refused', async () => {
  const [uri] = await upload(FILES);
  expect(await refusal(uri, '0'.repeat(64))).toMatch(/SHA256SUMS: expected the SHA-256 MODEL_SHA256=0{64}, got/);
});

test('a file that is missing is named', async () => {
  const [uri, hash] = await upload(FILES, sumsOf({ ...FILES, 'more.txt': Buffer.from('more') }));
  expect(await refusal(uri, hash)).toMatch(/more\.txt: expected a file of the model, S3 answered NoSuchKey/);
});

test('a model that is not there is named', async () => {
  expect(await refusal(`s3://${BUCKET}/none/`, '0'.repeat(64))).toMatch(/none\/SHA256SUMS: expected a file/);
});

test.each(['../labels.txt', '/etc/passwd', 'a//b', 'a/../../b', 'a\\..\\b'])(
  'a list cannot write to %s',
  async (name) => {
    const [uri, hash] = await upload(FILES, `${sumsOf(FILES)}${sha256('x')}  ${name}\n`);
    expect(await refusal(uri, hash)).toMatch(/expected lines as "sha256sum FILE…" writes them/);
  },
);

test('what a killed process has left behind is removed, and never used', async () => {
  const [uri, hash] = await upload(FILES);
  // No process has this id: Linux gives none above 2^22.
  const leftover = leftByKilledProcess(join(temporary.path, `labelqueue-model-${hash}`));
  await mkdir(leftover);
  await downloadModel(aws.target.s3, uri, hash, temporary.path);
  expect(await readdir(temporary.path)).toEqual([`labelqueue-model-${hash}`]);
});
