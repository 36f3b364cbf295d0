import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { type RawRequest, type RawServer, rawAnswer, rawAnswerOf, startRawServer } from '../support/raw-server.ts';
import { codeOf, createFetcher, type Fetcher } from './fetch-setup.ts';

const BODY = 'the bytes';

const ROUTES: ReadonlyMap<string, (request: RawRequest) => Buffer | string | undefined> = new Map(
  Object.entries<(request: RawRequest) => Buffer | string | undefined>({
    '/ok': () => rawAnswer(BODY),
    '/caf%C3%A9.jpg': () => rawAnswer(BODY),
    '/caf%E9.jpg': () => rawAnswer(BODY),
    '/location-utf8': () => rawAnswerOf('302 Found', '', 'Location: /café.jpg'),
    '/location-latin1': () => rawAnswerOf('302 Found', '', Buffer.from('Location: /café.jpg', 'latin1')),
    '/encoded-twice': () => rawAnswer(gzipSync(gzipSync(BODY)), 'Content-Encoding: gzip', 'Content-Encoding: gzip'),
    '/encoding-of-prototype': () => rawAnswer(BODY, 'Content-Encoding: __proto__'),
    '/headers-of-prototype': () => rawAnswer(BODY, 'constructor: a', '__proto__: b', '__proto__: c', 'toString: d'),
    '/201': () => rawAnswerOf('201 Created', BODY),
    '/203': () => rawAnswerOf('203 Non-Authoritative Information', BODY),
    '/206-all': () => rawAnswerOf('206 Partial Content', BODY, 'Content-Range: bytes 0-8/9'),
    '/206-without-range': () => rawAnswerOf('206 Partial Content', BODY),
    '/206-part': () => rawAnswerOf('206 Partial Content', BODY, 'Content-Range: bytes 0-8/100'),
    '/206-of-unknown': () => rawAnswerOf('206 Partial Content', BODY, 'Content-Range: bytes 0-8/*'),
    '/204': () => 'HTTP/1.1 204 No Content\r\n\r\n',
    '/205': () => rawAnswerOf('205 Reset Content', ''),
    '/header-with-control-character': () => rawAnswer(BODY, 'X-Note: a\x01b'),
    '/header-with-space': () => rawAnswer(BODY, 'X-Note : a'),
    '/header-without-colon': () => rawAnswer(BODY, 'this is not a header'),
    '/header-without-name': () => rawAnswer(BODY, ': a'),
    '/header-folded': () => rawAnswer(BODY, 'X-Note: a\r\n  b'),
    '/length-twice': () => rawAnswer(BODY, `Content-Length: ${BODY.length}`),
    '/length-listed': () => `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}, ${BODY.length}\r\n\r\n${BODY}`,
    '/length-and-chunked': () =>
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nthe bytes\r\n0\r\n\r\n',
    '/line-feeds': () => `HTTP/1.1 200 OK\nContent-Length: ${BODY.length}\nX-Note : a\n\n${BODY}`,
    '/http-1.2': () => `HTTP/1.2 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    '/hints-first': () => `HTTP/1.1 103 Early Hints\r\nLink : x\r\n\r\n${rawAnswer(BODY)}`,
    '/unrequested-continue': () => `HTTP/1.1 100 Continue\r\n\r\n${rawAnswer(BODY)}`,
    '/padded-chunk-sizes': () => chunked('9    \r\nthe bytes\r\n0   \r\n\r\n'),
    '/padded-chunk-later': ({ socket }) => {
      socket.write(chunked('4\r\nthe \r\n'), () => setImmediate(() => socket.write('5 \r\nbytes\r\n0\r\n\r\n')));
      return undefined;
    },
    '/cut-chunks': ({ socket }) => void socket.end(lastChunked('9\r\nthe bytes\r\n')),
    '/cut-in-chunk': ({ socket }) => void socket.end(lastChunked('9\r\nthe')),
    '/bad-chunk-size': () => chunked('zz\r\nthe bytes\r\n'),
    '/gzip-without-trailer': () => rawAnswer(gzipSync(BODY).subarray(0, -8), 'Content-Encoding: gzip'),
    '/thousands-of-interim-heads': ({ headers }) =>
      headers.get('connection') === 'close'
        ? `${'HTTP/1 100\n\n'.repeat(5_400)}${rawAnswer(BODY)}`
        : rawAnswer(BODY, 'X-Note : a'),
    '/slow-head': ({ socket }) => sendByByte(socket, rawAnswer(BODY, 'X-Note : a')),
    '/lengths-that-differ': () => rawAnswer(BODY, 'Content-Length: 4'),
    '/huge-bad-head': () => rawAnswer(BODY, `X-Note : ${'.'.repeat(100_000)}`),
    '/cut-bad-head': ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nX-Note : a\r\n'),
    '/cut-bad-body': ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nX-Note : a\r\nContent-Length: 9\r\n\r\nthe'),
    '/bad-redirect-inside': () => rawAnswerOf('302 Found', '', 'X-Note : a', 'Location: http://127.0.0.2:1/'),
  }),
);

function chunked(body: string): string {
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
}

/** What a strict parser judges by itself: here the end of the connection could be that of the body. */
function lastChunked(body: string): string {
  return chunked(body).replace('\r\n', '\r\nConnection: close\r\n');
}

function sendByByte(socket: RawRequest['socket'], bytes: Buffer): undefined {
  const send = (at: number) => {
    if (at < bytes.length && !socket.destroyed)
      socket.write(bytes.subarray(at, at + 1), () => setImmediate(send, at + 1));
  };
  send(0);
}

function notFound(): Buffer {
  return rawAnswerOf('404 Not Found', '');
}

let server: RawServer;
let fetcher: Fetcher;
beforeAll(async () => {
  server = await startRawServer((request) => (ROUTES.get(request.path) ?? notFound)(request));
  fetcher = createFetcher({ allowedHosts: [server.host] });
});
afterAll(async () => {
  await fetcher[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe('gets what browsers get from', () => {
  test.each([
    '/ok',
    '/location-utf8',
    '/location-latin1',
    '/encoded-twice',
    '/headers-of-prototype',
    '/201',
    '/203',
    '/206-all',
    '/206-without-range',
    '/header-with-control-character',
    '/header-with-space',
    '/header-without-colon',
    '/header-without-name',
    '/header-folded',
    '/length-twice',
    '/length-listed',
    '/length-and-chunked',
    '/line-feeds',
    '/http-1.2',
    '/hints-first',
    '/unrequested-continue',
    '/padded-chunk-sizes',
    '/padded-chunk-later',
    '/gzip-without-trailer',
    '/slow-head',
    '/thousands-of-interim-heads',
  ])('%s', async (path) => {
    expect(textOf(await fetcher.fetch(server.url(path)))).toBe(BODY);
  });
});

/** Of a failure, why. */
function textOf(outcome: Buffer | ImageFailure): string {
  return outcome instanceof ImageFailure ? `${outcome.code}: ${outcome.message}` : outcome.toString();
}

test.each([
  ['/encoding-of-prototype', 'invalid_response'],
  ['/204', 'http_error'],
  ['/205', 'http_error'],
  ['/206-part', 'http_error'],
  ['/206-of-unknown', 'http_error'],
  ['/lengths-that-differ', 'invalid_response'],
  ['/huge-bad-head', 'invalid_response'],
  ['/cut-bad-head', 'invalid_response'],
  ['/cut-bad-body', 'connection_failed'],
  ['/cut-chunks', 'connection_failed'],
  ['/cut-in-chunk', 'connection_failed'],
  ['/bad-chunk-size', 'invalid_response'],
  ['/bad-redirect-inside', 'address_not_allowed'],
])('%s is %s', async (path, code) => {
  const outcome = await fetcher.fetch(server.url(path));
  expect([codeOf(outcome), (outcome as ImageFailure).message]).toEqual([code, expect.stringMatching(/./)]);
});

test('a truncated body is not requested again at once: that is left to a retry', async () => {
  const before = server.paths.length;
  await fetcher.fetch(server.url('/cut-chunks'));
  expect(server.paths.slice(before)).toEqual(['/cut-chunks']);
});

test('a lenient request goes to the requested address only', async () => {
  await using elsewhere = await startRawServer(() => rawAnswer(BODY), '127.0.0.3');
  await using odd = await startRawServer(() => rawAnswer(BODY, 'X-Note : a'), '127.0.0.2');
  await using other = createFetcher({ allowedHosts: [odd.host, elsewhere.host] });
  expect(String(await other.fetch(odd.url('/odd')))).toBe(BODY);
  expect([odd.paths, elsewhere.paths]).toEqual([['/odd', '/odd'], []]);
});

test('a lenient request reaches an IPv6 address', async () => {
  await using odd = await startRawServer(() => rawAnswer(BODY, 'X-Note : a'), '::1');
  await using other = createFetcher({ allowedHosts: [`[::1]:${odd.port}`] });
  expect(textOf(await other.fetch(`http://[::1]:${odd.port}/odd`))).toBe(BODY);
});

test('an irregular response never shares its connection with another request', async () => {
  await using odd = await startRawServer(() =>
    Buffer.concat([rawAnswer(BODY, 'X-Note : a'), rawAnswer('bytes of somebody else')]),
  );
  await using other = createFetcher({ allowedHosts: [odd.host] });
  for (let times = 0; times < 3; times++) expect(String(await other.fetch(odd.url('/odd')))).toBe(BODY);
  expect(odd.connections()).toBe(odd.paths.length);
});

describe('a kept-alive connection', () => {
  test('serves the next image of its host', async () => {
    await using kept = await startRawServer(() => rawAnswer(BODY));
    await using other = createFetcher({ allowedHosts: [kept.host] });
    for (const path of ['/a', '/b', '/c']) expect(String(await other.fetch(kept.url(path)))).toBe(BODY);
    expect(kept.connections()).toBe(1);
  });

  test('that is closed when it is used again is retried at once over a new one', async () => {
    await using closing = await startRawServer(({ nth, socket }) =>
      nth === 1 ? rawAnswer(BODY) : void socket.resetAndDestroy(),
    );
    await using other = createFetcher({ allowedHosts: [closing.host] });
    for (const path of ['/a', '/b', '/c']) expect(String(await other.fetch(closing.url(path)))).toBe(BODY);
    expect(closing.paths).toEqual(['/a', '/b', '/b', '/c', '/c']);
  });

  test('is retried once, not forever', async () => {
    let answers = 0;
    await using closing = await startRawServer(({ socket }) =>
      answers++ === 0 ? rawAnswer(BODY) : void socket.resetAndDestroy(),
    );
    await using other = createFetcher({ allowedHosts: [closing.host] });
    expect(codeOf(await other.fetch(closing.url('/a')))).toBe('ok');
    expect(codeOf(await other.fetch(closing.url('/b')))).toBe('connection_failed');
    expect(closing.paths).toEqual(['/a', '/b', '/b']);
  });

  test('is not retried when it was new', async () => {
    await using closing = await startRawServer(({ socket }) => void socket.resetAndDestroy());
    await using other = createFetcher({ allowedHosts: [closing.host] });
    expect(codeOf(await other.fetch(closing.url('/a')))).toBe('connection_failed');
    expect(closing.paths).toEqual(['/a']);
  });
});

describe('cookies', () => {
  const cookieWall = ({ path, headers }: RawRequest) => {
    const cookie = headers.get('cookie');
    if (path.startsWith('/seen')) return rawAnswer(cookie ?? 'none');
    if (cookie?.includes('consent=yes')) return rawAnswer(BODY);
    return rawAnswerOf('302 Found', '', `Location: ${path}`, 'Set-Cookie: consent=yes; Path=/; HttpOnly');
  };

  test('are sent back to the server that set them before it redirects', async () => {
    await using wall = await startRawServer(cookieWall);
    await using other = createFetcher({ allowedHosts: [wall.host] });
    expect(String(await other.fetch(wall.url('/walled.jpg')))).toBe(BODY);
  });

  test('last for one image only', async () => {
    await using wall = await startRawServer(cookieWall);
    await using other = createFetcher({ allowedHosts: [wall.host] });
    await other.fetch(wall.url('/walled.jpg'));
    expect(String(await other.fetch(wall.url('/seen.jpg')))).toBe('none');
  });

  test('never reach another host', async () => {
    await using wall = await startRawServer(cookieWall, '127.0.0.2');
    const steer = () =>
      rawAnswerOf('302 Found', '', `Location: ${wall.url('/seen')}`, 'Set-Cookie: a=b; Domain=127.0.0.2; Path=/');
    await using first = await startRawServer(steer);
    await using other = createFetcher({ allowedHosts: [wall.host, first.host] });
    expect(String(await other.fetch(first.url('/')))).toBe('none');
  });
});

test('sends the configured user agent', async () => {
  await using echo = await startRawServer(({ headers }) => rawAnswer(headers.get('user-agent') ?? 'none'));
  await using other = createFetcher({ allowedHosts: [echo.host], userAgent: 'my-project/1.0 (me@example.com)' });
  expect(String(await other.fetch(echo.url('/')))).toBe('my-project/1.0 (me@example.com)');
});
