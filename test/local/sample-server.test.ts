import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type SampleServer, startSampleServer } from '../../local/sample-server.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');

let server: SampleServer;

beforeAll(async () => {
  server = await startSampleServer(SAMPLES);
});
afterAll(() => server.close());

/** With the path as it is given, which `fetch` would tidy up first. */
function get(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { hostname, port } = server.baseUrl;
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers }, resolve).on('error', reject).end();
  });
}

test('serves the samples', async () => {
  const response = await get('/photos/coffee.jpg');
  expect(response.statusCode).toBe(200);
  expect(await buffer(response)).toEqual(await readFile(join(SAMPLES, 'photos/coffee.jpg')));
});

test.each([
  '/../package.json',
  '/%2e%2e/package.json',
  '/photos/..%2f..%2fpackage.json',
  '//../package.json',
  '/a%00b',
])('serves nothing outside the folder: %s', async (path) => {
  const { statusCode } = (await get(path)).resume();
  expect(statusCode).toBe(404);
});

test('a path that cannot be decoded gets an error response, and the next request is served', async () => {
  expect((await get('/%')).resume().statusCode).toBe(400);
  expect((await get('/photos/coffee.jpg')).resume().statusCode).toBe(200);
});

test.each<[string, Record<string, string>]>([
  ['another Host', { host: 'evil.example' }],
  ['another Origin', { origin: 'http://evil.example' }],
  ['the mark of another site', { 'sec-fetch-site': 'cross-site' }],
])('serves nothing to a request with %s', async (_what, headers) => {
  expect((await get('/photos/coffee.jpg', headers)).resume().statusCode).toBe(403);
});
