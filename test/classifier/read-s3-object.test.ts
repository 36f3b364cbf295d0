import { brotliCompressSync, gzipSync } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pMap from 'p-map';
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded-aws.ts';
import type { ImageFailure } from '../../shared/contract/error-codes.ts';
import { MAX_IMAGE_BYTES } from '../../shared/contract/limits.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { rawAnswer, startRawServer } from '../support/raw-server.ts';
import { codeOf, createFetcher, type Fetcher } from './fetch-setup.ts';

const BUCKET = 'photos-of-mine';

let aws: EmbeddedAws;
let s3: S3Client;
let fetcher: Fetcher;
beforeAll(async () => {
  aws = await startEmbeddedAws({ port: 0 });
  aws.server.setup({ buckets: [BUCKET, 'photos-of-others', 'results-of-mine'] });
  s3 = new S3Client({ ...aws.clientConfig, forcePathStyle: true });
  fetcher = createFetcher({ sourceBuckets: [BUCKET], s3 });
});
afterAll(async () => {
  await fetcher[Symbol.asyncDispose]();
  s3.destroy();
  await aws.stop();
});

async function put(key: string, body: Buffer, bucket = BUCKET): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

/** In two parts: fauxqs takes no request of more than 11 MiB. */
async function putLarge(Key: string, bytes: number): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  const Parts = [];
  for (const [index, size] of [bytes - 10_000_000, 10_000_000].entries()) {
    const part = { PartNumber: index + 1, Body: Buffer.alloc(size, 1) };
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, ...part }));
    Parts.push({ ETag, PartNumber: index + 1 });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts } }));
}

describe('reads an object', () => {
  test.each([
    'a.jpg',
    'deep/er/a.jpg',
    'a b+c.jpg',
    'what?.jpg',
    'a#b.jpg',
    '100%.jpg',
    '%41.jpg',
    'größe/猫.jpg',
    'a//b.jpg',
  ])('with the key %s', async (key) => {
    const body = Buffer.from(`the bytes of ${key}`);
    await put(key, body);
    expect(await fetcher.fetch(`s3://${BUCKET}/${key}`)).toEqual(body);
  });

  test('whatever the case of the scheme', async () => {
    await put('case.jpg', Buffer.from('bytes'));
    expect(await fetcher.fetch(`S3://${BUCKET}/case.jpg`)).toEqual(Buffer.from('bytes'));
  });

  test('of exactly the maximum size', async () => {
    await putLarge('full.jpg', MAX_IMAGE_BYTES);
    const bytes = await fetcher.fetch(`s3://${BUCKET}/full.jpg`);
    expect(codeOf(bytes)).toBe('ok');
    expect(bytes).toHaveLength(MAX_IMAGE_BYTES);
  });

  test('of no bytes', async () => {
    await put('empty.jpg', Buffer.alloc(0));
    expect(await fetcher.fetch(`s3://${BUCKET}/empty.jpg`)).toEqual(Buffer.alloc(0));
  });
});

describe('of the results bucket, without naming it as a source,', () => {
  const photo = Buffer.from('the bytes of a photo');

  test('reads what was uploaded from a folder', async () => {
    await using worker = createFetcher({ resultsBucket: 'results-of-mine', s3 });
    await put('jobs/cats/images/deep/a.jpg', photo, 'results-of-mine');
    expect(await worker.fetch('s3://results-of-mine/jobs/cats/images/deep/a.jpg')).toEqual(photo);
  });

  test.each([
    'results/job=cats/part-1.jsonl',
    'jobs/cats/job.json',
    'jobs/cats/images.json',
    'jobs/cats/images/',
    'jobs/images/a.jpg',
    'jobs/cats/run=1/images/a.jpg',
    'jobs/cats/images/../job.json',
    'jobs/cats/images/./../job.json',
    'jobs/../images/a.jpg',
    'other/jobs/cats/images/a.jpg',
  ])('does not read %s', async (key) => {
    await using worker = createFetcher({ resultsBucket: 'results-of-mine', s3 });
    await put(key, photo, 'results-of-mine').catch(() => undefined);
    expect(codeOf(await worker.fetch(`s3://results-of-mine/${key}`))).toBe('bucket_not_allowed');
  });

  test('reads nothing of another bucket', async () => {
    await using worker = createFetcher({ resultsBucket: 'results-of-mine', s3 });
    expect(codeOf(await worker.fetch('s3://photos-of-others/jobs/cats/images/a.jpg'))).toBe('bucket_not_allowed');
  });
});

describe('decodes an object as over HTTP', () => {
  const bytes = Buffer.from('the bytes of a picture');

  test.each([
    ['gzip', gzipSync(bytes)],
    ['br', brotliCompressSync(bytes)],
    ['utf-8', bytes],
    ['gzip', Buffer.concat([gzipSync(bytes), Buffer.from('\r\n')])],
  ])('when its Content-Encoding is %s', async (ContentEncoding, Body) => {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'encoded.jpg', Body, ContentEncoding }));
    expect(await fetcher.fetch(`s3://${BUCKET}/encoded.jpg`)).toEqual(bytes);
  });

  // The embedded S3 takes off framing that is not there; S3 itself keeps the name and has no framing.
  test.each([
    ['aws-chunked', bytes],
    ['aws-chunked,gzip', gzipSync(bytes)],
  ])('when its Content-Encoding is %s', async (encoding, body) => {
    await using server = await startRawServer(() => rawAnswer(body, `Content-Encoding: ${encoding}`));
    using other = misbehavingS3(server);
    await using reader = createFetcher({ sourceBuckets: [BUCKET], s3: other });
    expect(await reader.fetch(`s3://${BUCKET}/encoded.jpg`)).toEqual(bytes);
  });

  test.each([
    ['__proto__', bytes, 'invalid_response'],
    ['gzip', bytes, 'invalid_response'],
    ['gzip', gzipSync(Buffer.alloc(MAX_IMAGE_BYTES + 1)), 'too_large'],
  ])('and refuses %s of %p', async (ContentEncoding, Body, code) => {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'wrong.jpg', Body, ContentEncoding }));
    expect(codeOf(await fetcher.fetch(`s3://${BUCKET}/wrong.jpg`))).toBe(code);
  });
});

describe('says what went wrong:', () => {
  test('an object that is not there is not_found', async () => {
    expect(codeOf(await fetcher.fetch(`s3://${BUCKET}/missing.jpg`))).toBe('not_found');
  });

  test('an object of one byte more than the maximum is too_large', async () => {
    await putLarge('large.jpg', MAX_IMAGE_BYTES + 1);
    expect(codeOf(await fetcher.fetch(`s3://${BUCKET}/large.jpg`))).toBe('too_large');
  });

  test('an object of a bucket that is not configured is bucket_not_allowed, even if it is readable', async () => {
    await put('a.jpg', Buffer.from('secret'), 'photos-of-others');
    const outcome = await fetcher.fetch('s3://photos-of-others/a.jpg');
    expect(codeOf(outcome)).toBe('bucket_not_allowed');
    expect((outcome as ImageFailure).message).toContain('photos-of-others');
  });

  test('no bucket is allowed when none is configured', async () => {
    await using strict = createFetcher({ s3 });
    expect(codeOf(await strict.fetch(`s3://${BUCKET}/a.jpg`))).toBe('bucket_not_allowed');
  });
});

/** A client of an S3 that answers as S3 does not: the image server, asked for `s3://route/rest`. */
function misbehavingS3(server: Pick<ImageServer, 'url'>): S3Client & Disposable {
  const client = new S3Client({
    ...aws.clientConfig,
    endpoint: server.url(''),
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

async function fromRudeS3(bucket: string, key: string, timeoutMs?: number): Promise<string> {
  await using server = await startImageServer();
  using misbehaving = misbehavingS3(server);
  await using impatient = createFetcher({ sourceBuckets: [bucket], s3: misbehaving });
  return codeOf(await impatient.fetch(`s3://${bucket}/${key}`, timeoutMs));
}

describe('an S3 that', () => {
  test.each([
    ['refuses', '403', 'forbidden'],
    ['throttles with 429', '429', 'rate_limited'],
    ['fails', '500', 'server_error'],
    ['is busy', '503', 'server_error'],
    ['answers with another status', '400', 'http_error'],
  ])('%s (%s) is %s', async (_case, status, code) => {
    expect(await fromRudeS3('status', status)).toBe(code);
  });

  test.each(['hang', 'stall', 'drip'])('lets one wait (%s) is a timeout', async (route) => {
    expect(await fromRudeS3(route, 'a.jpg', 200)).toBe('timeout');
  });

  test('closes the connection in the middle is connection_failed', async () => {
    expect(await fromRudeS3('truncated', 'a.jpg')).toBe('connection_failed');
  });

  test('sends more than requested is too_large', async () => {
    expect(await fromRudeS3('large', 'a.jpg')).toBe('too_large');
  });
});

test('an object that is too large or truncated leaves no connection behind', async () => {
  await using server = await startImageServer();
  using misbehaving = misbehavingS3(server);
  await using other = createFetcher({ sourceBuckets: ['endless', 'truncated'], s3: misbehaving });
  // More than the 50 connections that a client of S3 has.
  const urls = Array.from({ length: 60 }, (_, index) => `s3://${index % 2 === 0 ? 'endless' : 'truncated'}/a.jpg`);
  const codes = await pMap(urls, async (url) => codeOf(await other.fetch(url, 60_000)), { concurrency: 4 });
  expect(new Set(codes)).toEqual(new Set(['too_large', 'connection_failed']));
}, 60_000);

test('an aborted read rejects with the reason', async () => {
  await using server = await startImageServer();
  using misbehaving = misbehavingS3(server);
  await using slow = createFetcher({ sourceBuckets: ['stall'], s3: misbehaving });
  const controller = new AbortController();
  const reason = new Error('the deadline came');
  const expected = expect(slow.fetch('s3://stall/a.jpg', 5_000, controller.signal)).rejects.toBe(reason);
  while (server.totalRequests() === 0) await new Promise(setImmediate);
  controller.abort(reason);
  await expected;
});
