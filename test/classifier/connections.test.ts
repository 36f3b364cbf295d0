import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import pMap from 'p-map';
import { MAX_FETCHES_PER_HOST } from '../../shared/contract/limits.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type RawRequest, rawAnswer, startRawServer } from '../support/raw-server.ts';
import { codeOf, createFetcher } from './fetch-setup.ts';

const ADDRESSES = Array.from({ length: 30 }, (_, index) => `127.2.0.${index + 1}`);

/** A server that is reached under many addresses: to a client each is a host of its own. */
async function startManyHosts(answer: (request: RawRequest) => Buffer | undefined) {
  const server = await startRawServer(answer, '0.0.0.0');
  const hosts = ADDRESSES.map((address) => `${address}:${server.port}`);
  return Object.assign(server, { hosts, urls: hosts.map((host) => `http://${host}/a.jpg`) });
}

describe('all connections together', () => {
  test('stay within their limit, whatever keep-alive the servers announce', async () => {
    let most = 0;
    await using server = await startManyHosts(() => rawAnswer('bytes', 'Keep-Alive: timeout=602'));
    await using fetcher = createFetcher({ allowedHosts: server.hosts, maxConnections: 4 });
    const outcomes = await pMap(
      server.urls,
      async (url) => {
        const outcome = await fetcher.fetch(url);
        most = Math.max(most, fetcher.openConnections());
        return String(outcome);
      },
      { concurrency: 8 },
    );
    expect(outcomes).toEqual(server.urls.map(() => 'bytes'));
    expect(most).toBe(4);
  });

  test('are the newest ones: the oldest idle one is closed', async () => {
    await using server = await startManyHosts(() => rawAnswer('bytes'));
    await using fetcher = createFetcher({ allowedHosts: server.hosts, maxConnections: 3 });
    const [a = '', b = '', c = '', d = ''] = server.urls;
    for (const url of [a, b, c, a, d]) await fetcher.fetch(url);
    expect(server.connections()).toBe(4);
    for (const url of [a, c, d]) await fetcher.fetch(url);
    expect(server.connections()).toBe(4);
    await fetcher.fetch(b);
    expect(server.connections()).toBe(5);
  });

  test('make requests wait while all of them are busy', async () => {
    const held: RawRequest[] = [];
    await using server = await startManyHosts((request) => void held.push(request));
    await using fetcher = createFetcher({ allowedHosts: server.hosts, maxConnections: 2 });
    const fetches = server.urls.slice(0, 3).map((url) => fetcher.fetch(url));
    await eventually('two requests', () => held.length === 2);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(held).toHaveLength(2);
    held.shift()?.socket.end(rawAnswer('bytes'));
    await eventually('the third request', () => held.length === 2);
    for (const { socket } of held) socket.end(rawAnswer('bytes'));
    expect((await Promise.all(fetches)).map(String)).toEqual(['bytes', 'bytes', 'bytes']);
  });

  test('are free again after images that were aborted while they waited, connected or read', async () => {
    await using server = await startManyHosts(({ path }) =>
      path === '/stall' ? Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n') : undefined,
    );
    await using fetcher = createFetcher({ allowedHosts: server.hosts, maxConnections: 4 });
    const paths = server.hosts.map((host, index) => `http://${host}/${index % 2 === 0 ? 'stall' : 'hang'}`);
    const codes = await Promise.all(paths.map((url) => fetcher.fetch(url, 200)));
    expect(new Set(codes.map(codeOf))).toEqual(new Set(['timeout']));
    await eventually('no connection', () => fetcher.openConnections() === 0);
  });

  test('are free again after every kind of answer', async () => {
    const large = Buffer.alloc(30_000_000);
    const answers: ReadonlyMap<string, Buffer | string> = new Map([
      ['/encoding', rawAnswer(large.subarray(0, 1_000_000), 'Content-Encoding: __proto__')],
      ['/large', rawAnswer(large)],
      ['/endless', Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), large])],
      ['/not-gzip', rawAnswer('bytes', 'Content-Encoding: gzip')],
      ['/status', Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nthe start of a page')],
      ['/bad-chunk', Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n')],
      ['/redirect', Buffer.from('HTTP/1.1 302 Found\r\nLocation: ftp://a/\r\nContent-Length: 99\r\n\r\nthe start')],
    ]);
    await using server = await startRawServer(({ path }) => answers.get(path));
    await using fetcher = createFetcher({ allowedHosts: [server.host], maxConnections: 2 });
    const paths = Array.from({ length: 5 }, () => [...answers.keys()]).flat();
    const codes = await Promise.all(paths.map((path) => fetcher.fetch(server.url(path), 60_000)));
    expect(new Set(codes.map(codeOf))).toEqual(
      new Set(['invalid_response', 'too_large', 'not_found', 'scheme_not_allowed']),
    );
    expect(fetcher.openConnections()).toBeLessThanOrEqual(2);
  }, 60_000);
});

test('one host never gets more requests at once than its limit', async () => {
  const held: RawRequest[] = [];
  await using server = await startRawServer((request) => void held.push(request));
  await using fetcher = createFetcher({ allowedHosts: [server.host] });
  const fetches = Array.from({ length: 2 * MAX_FETCHES_PER_HOST }, () => fetcher.fetch(server.url('/a.jpg')));
  await eventually('requests', () => held.length === MAX_FETCHES_PER_HOST);
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(held).toHaveLength(MAX_FETCHES_PER_HOST);
  while (held.length > 0) {
    for (const { socket } of held.splice(0)) socket.write(rawAnswer('bytes'));
    await eventually('the others', () => held.length > 0 || server.paths.length === fetches.length);
  }
  expect((await Promise.all(fetches)).map(String)).toEqual(fetches.map(() => 'bytes'));
});
