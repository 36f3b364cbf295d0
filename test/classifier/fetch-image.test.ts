import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import { FETCH_TIMEOUT_MS } from '../../shared/contract/limits.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { codeOf, createFetcher, type Fetcher, fakeDns } from './fetch-setup.ts';

let server: ImageServer;
let fetcher: Fetcher;
let coffee: Buffer;
beforeAll(async () => {
  server = await startImageServer();
  fetcher = createFetcher({ allowedHosts: [server.host] });
  coffee = await readFile(join(import.meta.dirname, '../../samples/photos/coffee.jpg'));
});
afterAll(async () => {
  await fetcher[Symbol.asyncDispose]();
  await server.close();
});

function digest(bytes: unknown): string {
  return bytes instanceof Buffer ? createHash('sha256').update(bytes).digest('hex') : String(bytes);
}

describe('gets the bytes of a photo', () => {
  test.each([
    ['from a well-behaved server', '/photos/coffee.jpg'],
    ['that is said to be text', '/wrong-type'],
    ['behind five redirects', '/redirect/5'],
    ['that was compressed unasked', '/gzip'],
    ['behind a redirect with a relative address', '/redirect-to?url=photos/coffee.jpg'],
    ['behind a permanent redirect', '/redirect-to?status=308&url=/photos/coffee.jpg'],
  ])('%s', async (_case, path) => {
    const bytes = await fetcher.fetch(server.url(path));
    expect(digest(bytes)).toBe(digest(coffee));
  });

  test('with no bytes when the body is empty', async () => {
    expect(await fetcher.fetch(server.url('/empty'))).toEqual(Buffer.alloc(0));
  });

  test('when the server failed at the first try', async () => {
    expect(codeOf(await fetcher.fetch(server.url('/once/503/a')))).toBe('server_error');
    expect(digest(await fetcher.fetch(server.url('/once/503/a')))).toBe(digest(coffee));
    expect(server.requests('/once/503/a')).toBe(2);
  });
});

const FAILURES: [path: string, code: ErrorCode][] = [
  ['/status/404', 'not_found'],
  ['/status/410', 'gone'],
  ['/status/401', 'forbidden'],
  ['/status/403', 'forbidden'],
  ['/status/407', 'forbidden'],
  ['/status/451', 'forbidden'],
  ['/status/400', 'http_error'],
  ['/status/418', 'http_error'],
  ['/status/204', 'http_error'],
  ['/status/206', 'http_error'],
  ['/status/304', 'http_error'],
  ['/status/302', 'http_error'],
  ['/status/408', 'server_error'],
  ['/status/425', 'server_error'],
  ['/status/429', 'rate_limited'],
  ['/status/500', 'server_error'],
  ['/status/502', 'server_error'],
  ['/status/503', 'server_error'],
  ['/status/599', 'server_error'],
  ['/reset', 'connection_failed'],
  ['/reset?after=headers', 'connection_failed'],
  ['/truncated', 'connection_failed'],
  ['/redirect/6', 'too_many_redirects'],
  ['/redirect-loop', 'too_many_redirects'],
  ['/redirect-to?url=http://[', 'invalid_url'],
  ['/redirect-to?url=ftp://example.com/a.jpg', 'scheme_not_allowed'],
  ['/redirect-to?url=file:///etc/passwd', 'scheme_not_allowed'],
  ['/redirect-to?url=data:image/png;base64,AAAA', 'scheme_not_allowed'],
  ['/redirect-to?url=s3://bucket/a.jpg', 'scheme_not_allowed'],
  ['/redirect-to?url=http://user:secret@example.com/', 'credentials_in_url'],
  ['/large', 'too_large'],
  ['/large?announced=no', 'too_large'],
  ['/endless', 'too_large'],
  ['/gzip-bomb', 'too_large'],
  ['/not-gzip', 'invalid_response'],
  ['/half-gzip', 'invalid_response'],
  ['/bad-chunk', 'invalid_response'],
  ['/huge-header', 'invalid_response'],
  ['/strange-encoding', 'invalid_response'],
  ['/gibberish', 'invalid_response'],
];

describe('says what went wrong', () => {
  test.each(FAILURES)('%s is %s', async (path, code) => {
    const outcome = await fetcher.fetch(server.url(path));
    expect(outcome).toBeInstanceOf(ImageFailure);
    expect((outcome as ImageFailure).report()).toMatchObject({
      code,
      stage: 'fetch',
      retryable: ERROR_CODES[code].retryable,
      message: expect.stringMatching(/./),
    });
  });

  test.each(['/hang', '/stall', '/drip'])('%s is a timeout, and no later than told', async (path) => {
    const started = performance.now();
    expect(codeOf(await fetcher.fetch(server.url(path), 150))).toBe('timeout');
    // Less than the limit of an image that gets none of its own, and much more than a busy machine needs.
    expect(performance.now() - started).toBeLessThan(FETCH_TIMEOUT_MS);
  });

  test('a closed port is connection_failed', async () => {
    const gone = await startImageServer();
    await gone.close();
    await using other = createFetcher({ allowedHosts: [gone.host] });
    expect(codeOf(await other.fetch(gone.url('/photos/coffee.jpg')))).toBe('connection_failed');
  });

  test('https to an http port is tls_invalid', async () => {
    expect(codeOf(await fetcher.fetch(`https://${server.host}/photos/coffee.jpg`))).toBe('tls_invalid');
  });

  test('an unknown name is name_not_resolved', async () => {
    await using other = createFetcher({ lookup: fakeDns({}).lookup });
    expect(codeOf(await other.fetch('http://nowhere.example/a.jpg'))).toBe('name_not_resolved');
  });
});

describe('passes Retry-After on', () => {
  test('in seconds', async () => {
    const outcome = await fetcher.fetch(server.url('/status/429?retry-after=37'));
    expect((outcome as ImageFailure).retryAfterSeconds).toBe(37);
  });

  test('as a date', async () => {
    const date = new Date(Date.now() + 120_000).toUTCString();
    const outcome = await fetcher.fetch(server.url(`/status/503?retry-after=${encodeURIComponent(date)}`));
    const seconds = (outcome as ImageFailure).retryAfterSeconds;
    expect(seconds).toBeGreaterThan(100);
    expect(seconds).toBeLessThanOrEqual(120);
  });

  test('not when it is neither', async () => {
    const outcome = await fetcher.fetch(server.url('/status/503?retry-after=soon'));
    expect((outcome as ImageFailure).retryAfterSeconds).toBeUndefined();
  });
});

describe('an aborted fetch', () => {
  test('rejects with the reason while the body is awaited', async () => {
    const controller = new AbortController();
    const reason = new Error('the deadline came');
    const fetching = fetcher.fetch(server.url('/stall/abort'), 5_000, controller.signal);
    const expected = expect(fetching).rejects.toBe(reason);
    while (server.requests('/stall/abort') === 0) await new Promise(setImmediate);
    controller.abort(reason);
    await expected;
  });

  test('rejects with the reason before it has begun, without a request', async () => {
    const reason = new Error('too late');
    await expect(fetcher.fetch(server.url('/photos/late.jpg'), 5_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests('/photos/late.jpg')).toBe(0);
  });
});

test('a message never shows the query of a URL, which may be a signature', async () => {
  for (const [path] of FAILURES) {
    const outcome = await fetcher.fetch(server.url(`${path}${path.includes('?') ? '&' : '?'}X-Amz-Signature=SECRET`));
    expect((outcome as ImageFailure).message).not.toMatch(/SECRET|user:|passwd/);
  }
});

test('requests images without a content coding, and sends its user agent', async () => {
  const headers = await headersOfOneFetch();
  expect(headers).toMatchObject({
    'user-agent': expect.stringMatching(/^labelqueue\/\d+\.\d+\.\d+ \(.*contact not set\)$/),
    accept: expect.stringContaining('image/jpeg,image/png,image/webp,image/gif,image/avif,image/tiff,'),
    'accept-encoding': 'identity',
  });
});

async function headersOfOneFetch(): Promise<unknown> {
  const { createServer } = await import('node:http');
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const listener = createServer((request, response) => {
    resolve(request.headers);
    response.end();
  }).listen(0, '127.0.0.1');
  await new Promise((ready) => listener.once('listening', ready));
  const host = `127.0.0.1:${(listener.address() as { port: number }).port}`;
  await using other = createFetcher({ allowedHosts: [host] });
  await other.fetch(`http://${host}/`);
  listener.close();
  return promise;
}
