import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { type LocalApi, startLocalApi } from '../../support/local-api.ts';

const PHOTOS = join(import.meta.dirname, '../../../samples/photos');

let images: ImageServer;
let api: LocalApi;

beforeAll(async () => {
  images = await startImageServer();
  api = await startLocalApi({
    ALLOWED_HOSTS: images.host,
    // Long enough for a machine that does much else, as one route never answers.
    FETCH_TIMEOUT_SECONDS: '4',
    POWERTOOLS_LOG_LEVEL: 'DEBUG',
  });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await images.close();
});

type Parameters = Record<string, string>;

function get(parameters: Parameters): Promise<Response> {
  return fetch(`${api.address}/classify?${new URLSearchParams(parameters)}`);
}

async function post(body: Buffer<ArrayBuffer> | string, contentType = 'image/jpeg', query = ''): Promise<Response> {
  return fetch(`${api.address}/classify${query}`, { method: 'POST', body, headers: { 'content-type': contentType } });
}

const photo = (name: string) => readFile(join(PHOTOS, name)) as Promise<Buffer<ArrayBuffer>>;

async function problemOf(response: Response): Promise<{ status: number; code: string }> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { status, code, type } = (await response.json()) as { status: number; code: string; type: string };
  expect(status).toBe(response.status);
  expect(type).toBe(`urn:labelqueue:problem:${code}`);
  return { status, code };
}

const ESPRESSO = {
  return: expect.stringMatching(/^espresso \(score = 0\.95\d{3}\)$/),
  labels: [
    { label: 'espresso', score: expect.closeTo(0.955, 2), classId: 967 },
    ...Array.from({ length: 4 }, () => expect.objectContaining({ classId: expect.any(Number) })),
  ],
  image: {
    width: 600,
    height: 400,
    format: 'jpeg',
    bytes: expect.any(Number),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  },
  model: { name: 'efficientnet-lite0', version: expect.stringMatching(/^1(-int8)?$/) },
};

describe('an image at a URL', () => {
  test.each(['url', 'imagelink'])('is labeled, named as %s', async (name) => {
    const response = await get({ [name]: images.url('/photos/coffee.jpg') });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual(ESPRESSO);
  });

  test.each([1, 7, 100])('has as many labels as are asked for: %d, best first', async (top) => {
    const { labels } = (await (await get({ url: images.url('/photos/coffee.jpg'), top: String(top) })).json()) as {
      labels: { score: number }[];
    };
    expect(labels).toHaveLength(top);
    expect(labels).toEqual(labels.toSorted((one, other) => other.score - one.score));
  });

  test('may be in a source bucket, and in no other bucket', async () => {
    const { s3, resultsBucket } = api.target;
    const Body = await photo('coffee.jpg');
    await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key: 'jobs/a/images/coffee.jpg', Body }));
    const found = await get({ url: `s3://${resultsBucket}/jobs/a/images/coffee.jpg` });
    expect(await found.json()).toMatchObject({ labels: [{ label: 'espresso' }, {}, {}, {}, {}] });
    expect(await problemOf(await get({ url: 's3://elsewhere/coffee.jpg' }))).toEqual({
      status: 400,
      code: 'bucket_not_allowed',
    });
  });

  test.each<[path: string, status: number, code: string]>([
    ['/status/404', 404, 'not_found'],
    ['/status/410', 404, 'gone'],
    ['/status/403', 502, 'forbidden'],
    ['/status/418', 502, 'http_error'],
    ['/status/503', 502, 'server_error'],
    ['/redirect-loop', 502, 'too_many_redirects'],
    ['/reset', 502, 'connection_failed'],
    ['/gibberish', 502, 'invalid_response'],
    ['/hang', 504, 'timeout'],
    ['/large', 413, 'too_large'],
    ['/empty', 422, 'empty'],
    ['/half-photo', 422, 'corrupt'],
    ['/page', 415, 'not_an_image'],
  ])('%s is answered with %d and %s', async (path, status, code) => {
    expect(await problemOf(await get({ url: images.url(path) }))).toEqual({ status, code });
  });

  test.each<[url: string, code: string]>([
    ['no URL', 'invalid_url'],
    ['ftp://example.com/a.jpg', 'scheme_not_allowed'],
    ['http://me:pw@example.com/a.jpg', 'credentials_in_url'],
    ['http://169.254.169.254/latest/meta-data/', 'address_not_allowed'],
    ['http://127.0.0.1:1/a.jpg', 'address_not_allowed'],
    ['http://[::ffff:10.0.0.1]/a.jpg', 'address_not_allowed'],
  ])('%s is refused as %s', async (url, code) => {
    expect(await problemOf(await get({ url }))).toEqual({ status: 400, code });
  });

  test('a redirect to an address that must not be reached is refused', async () => {
    const url = images.url(`/redirect-to?url=${encodeURIComponent('http://127.0.0.1:1/')}`);
    expect(await problemOf(await get({ url }))).toEqual({ status: 400, code: 'address_not_allowed' });
  });

  test("passes on the Retry-After of the image's server", async () => {
    const response = await get({ url: images.url('/status/429?retry-after=7') });
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await problemOf(response)).toEqual({ status: 429, code: 'rate_limited' });
    const never = await get({ url: images.url(`/status/503?retry-after=${'9'.repeat(400)}`) });
    expect(never.headers.get('retry-after')).toBe('86400');
  });
});

describe('parameters that are wrong', () => {
  const url = 'https://example.com/a.jpg';
  test.each<[Parameters, string]>([
    [{}, 'either url or imagelink'],
    [{ url, imagelink: url }, 'either url or imagelink'],
    [{ url, top: '0' }, 'top'],
    [{ url, top: '101' }, 'top'],
    [{ url, top: '2.5' }, 'top'],
    [{ url, top: 'many' }, 'top'],
    [{ url, tops: '3' }, 'tops'],
    [{ url: 'x'.repeat(8_193) }, 'url'],
  ])('%j are refused, and named', async (parameters, named) => {
    const response = await get(parameters);
    const { status, code, detail } = (await response.json()) as { status: number; code: string; detail: string };
    expect({ status, code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(detail).toContain(named);
  });

  test('a repeated parameter is refused', async () => {
    const response = await fetch(`${api.address}/classify?url=${url}&url=${url}`);
    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request' });
  });

  test('an address that is too long for API Gateway is refused', async () => {
    const response = await get({ url: `https://example.com/${'é'.repeat(3_000)}` });
    expect(await problemOf(response)).toEqual({ status: 431, code: 'header_too_large' });
  });
});

describe('an image in the body', () => {
  test.each([
    'image/jpeg',
    'image/png; name=it-is-judged-by-content',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
  ])('is labeled when sent as %s', async (type) => {
    const response = await post(await photo('coffee.jpg'), type);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(ESPRESSO);
  });

  test.each(['chelsea-alpha.png', 'coffee.webp', 'rocket-animated.gif', 'chelsea.avif', 'shuttle-model.tiff'])(
    'may be %s',
    async (name) => {
      expect((await post(await photo(name), 'application/octet-stream', '?top=2')).status).toBe(200);
    },
  );

  test.each<[name: string, status: number, code: string]>([
    ['truncated.jpg', 422, 'corrupt'],
    ['not-an-image.jpg', 415, 'not_an_image'],
  ])('%s is answered with %d and %s', async (name, status, code) => {
    expect(await problemOf(await post(await photo(name)))).toEqual({ status, code });
  });

  test('that is missing is reported', async () => {
    expect(await problemOf(await post(''))).toEqual({ status: 422, code: 'empty' });
  });

  test.each(['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'image/svg+xml'])(
    '%s is no type of an image',
    async (type) => {
      expect(await problemOf(await post(await photo('coffee.jpg'), type))).toEqual({
        status: 415,
        code: 'unsupported_media_type',
      });
    },
  );

  test('may have 4,000,000 bytes and no more', async () => {
    const padded = (bytes: number) => post(Buffer.concat([head, Buffer.alloc(bytes - head.length)]));
    const head = await photo('coffee.jpg');
    expect((await padded(4_000_000)).status).toBe(200);
    for (const bytes of [4_000_001, 4_600_000, 11_000_000]) {
      expect(await problemOf(await padded(bytes))).toEqual({ status: 413, code: 'body_too_large' });
    }
  });

  test('is refused beside an address', async () => {
    const response = await post(await photo('coffee.jpg'), 'image/jpeg', '?url=https://example.com/');
    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request' });
  });
});

test('100 concurrent callers all get the labels of their own images, in shared batches', async () => {
  const before = batchSizes().length;
  const names = ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg', 'astronaut.jpg'];
  const expected = new Map<string, unknown>();
  for (const name of names) expected.set(name, best(await (await get({ url: images.url(`/photos/${name}`) })).json()));
  const callers = Array.from({ length: 100 }, async (_, number) => {
    const name = names[number % names.length] as string;
    const response =
      number % 2 === 0 ? await get({ url: images.url(`/photos/${name}`) }) : await post(await photo(name));
    return [name, best(await response.json())] as const;
  });
  for (const [name, label] of await Promise.all(callers)) expect(label).toEqual(expected.get(name));
  expect(new Set(expected.values()).size).toBe(names.length);
  await eventually('104 images in the log', () => sum(batchSizes().slice(before)) === 104);
  expect(Math.max(...batchSizes().slice(before))).toBeGreaterThan(1);
});

function best(answer: unknown): unknown {
  return (answer as { labels?: { label: string }[] }).labels?.[0]?.label;
}

/** How many images each inference had, in the order of the log. */
function batchSizes(): number[] {
  return [...api.log().matchAll(/"message":"inference".*"images":(\d+)/g)].map(([, size]) => Number(size));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

test('the log has one line per request, and nothing of addresses', async () => {
  await get({ url: images.url('/status/404?X-Amz-Signature=very-secret') });
  await get({ url: 'http://me:my-password@example.com/private-path.jpg' });
  await eventually('a line for each', () => (api.log().match(/"code":"credentials_in_url"/g)?.length ?? 0) > 0);
  const answered = /"route":"GET \/classify","status":404.*"code":"not_found"/;
  await eventually('a line in the log', () => answered.test(api.log()));
  expect(api.log()).not.toMatch(/very-secret|my-password|private-path/);
});
