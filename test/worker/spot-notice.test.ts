import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { type SpotNotice, type SpotReasons, untilSpotNotice } from '../../worker/spot-notice.ts';

const ACTION = '/latest/meta-data/spot/instance-action';
const REBALANCE = '/latest/meta-data/events/recommendations/rebalance';

/** An instance metadata service that takes IMDSv2 alone. */
let server: ReturnType<typeof createServer>;
let endpoint: string;
let documents: Map<string, string>;
let asked: string[];
let tokens: number;
let status: number | undefined;
let over: AbortController;
let notices: string[];

beforeEach(async () => {
  [documents, asked, tokens, status, over, notices] = [new Map(), [], 0, undefined, new AbortController(), []];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (status !== undefined) return void response.writeHead(status).end();
    if (request.url === '/latest/api/token')
      return isTokenRequest(request) ? void response.end(`token-${++tokens}`) : void response.writeHead(400).end();
    if (request.headers['x-aws-ec2-metadata-token'] !== `token-${tokens}`) return void response.writeHead(401).end();
    const document = documents.get(request.url ?? '');
    response.writeHead(document === undefined ? 404 : 200).end(document);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  over.abort();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function isTokenRequest({ method, headers }: IncomingMessage): boolean {
  return method === 'PUT' && Number(headers['x-aws-ec2-metadata-token-ttl-seconds']) > 0;
}

function watch(reasons?: SpotReasons): Promise<SpotNotice> {
  const chosen = reasons === undefined ? {} : { reasons };
  return untilSpotNotice({
    ...chosen,
    endpoint,
    signal: over.signal,
    onNotice: (text) => notices.push(text),
    lookEveryMs: 20,
  });
}

test('notices an interruption and its time', async () => {
  const noticed = watch();
  await eventually('it has looked', () => asked.filter((line) => line.endsWith(REBALANCE)).length >= 2);
  documents.set(ACTION, '{"action":"terminate","time":"2026-01-02T03:04:05Z"}');
  expect(await noticed).toEqual({ reason: 'interruption', at: Date.UTC(2026, 0, 2, 3, 4, 5) });
  expect(tokens).toBe(1);
  expect(notices).toEqual([]);
});

test('notices a recommendation to rebalance', async () => {
  documents.set(REBALANCE, '{"noticeTime":"2026-01-02T03:04:05Z"}');
  expect(await watch()).toEqual({ reason: 'rebalance' });
});

test('ignores a recommendation to rebalance when only an interruption counts', async () => {
  documents.set(REBALANCE, '{"noticeTime":"2026-01-02T03:04:05Z"}');
  const noticed = watch('interruption');
  await eventually('it has looked', () => asked.filter((line) => line.endsWith(ACTION)).length >= 3);
  documents.set(ACTION, '{"action":"terminate","time":"2026-01-02T03:04:05Z"}');
  expect(await noticed).toMatchObject({ reason: 'interruption' });
});

test('treats an unreadable document as an interruption without a time', async () => {
  documents.set(ACTION, 'soon');
  expect(await watch()).toEqual({ reason: 'interruption' });
});

test('requests a new token when its own has expired', async () => {
  const noticed = watch();
  await eventually('it has a token', () => tokens === 1 && asked.length > 3);
  tokens = 7;
  documents.set(ACTION, '{"action":"stop","time":"2026-01-02T03:04:05Z"}');
  expect(await noticed).toMatchObject({ reason: 'interruption' });
  // That a token ends is not an outage.
  expect(notices).toEqual([]);
});

test('reports a second outage as well', async () => {
  const noticed = watch();
  for (const outages of [1, 2]) {
    status = 500;
    await eventually('it was reported', () => notices.length === outages);
    status = undefined;
    const before = asked.length;
    await eventually('it has looked again', () => asked.length > before + 4);
  }
  documents.set(REBALANCE, '{}');
  expect(await noticed).toEqual({ reason: 'rebalance' });
  expect(notices).toHaveLength(2);
});

test('waits only for the interruption when the work is already ending', async () => {
  documents.set(REBALANCE, '{}');
  const noticed = untilSpotNotice({
    endpoint,
    signal: over.signal,
    onNotice() {},
    lookEveryMs: 20,
    reasons: 'interruption',
  });
  await eventually('it has looked', () => asked.filter((line) => line.endsWith(ACTION)).length >= 2);
  documents.set(ACTION, 'soon');
  expect(await noticed).toEqual({ reason: 'interruption' });
});

test('continues when the service does not answer as expected, and reports it once', async () => {
  status = 500;
  const noticed = watch();
  await eventually('it has asked several times', () => asked.length > 5);
  status = undefined;
  documents.set(REBALANCE, '{}');
  expect(await noticed).toEqual({ reason: 'rebalance' });
  expect(notices).toEqual([
    expect.stringMatching(/^the instance metadata does not answer \(.+\): asked again until it does$/),
  ]);
});
