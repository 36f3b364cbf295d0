import { gzipSync } from 'node:zlib';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createHttpClient, type HttpClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';

const SMALL = Buffer.alloc(60_000, 1);
const LARGE = Buffer.alloc(1_000_000, 1);

let server: ImageServer;
let http: HttpClient;
beforeAll(async () => {
  server = await startImageServer(undefined, {
    small: ({ response }) => void response.end(SMALL),
    large: ({ response }) => void response.end(LARGE),
    coded: ({ response }) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(LARGE)),
  });
  http = createHttpClient([server.host]);
});
afterAll(async () => {
  await http.close();
  await server.close();
});

test.each([
  ['small', SMALL, 'free'],
  ['large', LARGE, 'waits'],
  ['coded', LARGE, 'waits'],
])('at most 64 kB of a %s body are held before there is room', async (path, content, expected) => {
  const allowed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<'waits'>();
  const beforeContent = () => {
    asked.resolve('waits');
    return allowed.promise;
  };
  const sources = { http, s3: createObjectReader(new S3Client({}), []) };
  const limits = { timeoutMs: 20_000, beforeContent };
  let isDone = false;
  const fetched = fetchImage(server.url(`/${path}`), sources, new AbortController().signal, limits).finally(() => {
    isDone = true;
  });
  expect(await Promise.race([asked.promise, fetched.then(() => 'free')])).toBe(expected);
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(expected === 'free');
  allowed.resolve();
  expect(await fetched).toEqual(content);
});
