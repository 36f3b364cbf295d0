import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, type RequestOptions, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type HttpGateway, startHttpGateway } from '../../local/http-gateway.ts';
import type { UploadLimits } from '../../local/uploads.ts';
import { FunctionError } from '../../worker/execution-environment.ts';

const AT_ONCE = 3;

let gateway: HttpGateway;
let events: APIGatewayProxyEventV2[];
let errors: FunctionError[];
/** What the function does with an event. */
let invoke: (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

beforeEach(async () => {
  events = [];
  errors = [];
  invoke = async () => ({ statusCode: 200, body: 'fine' });
  gateway = await start();
});
afterEach(() => gateway.stop());

function start(uploads: Partial<UploadLimits> = {}, beside?: RequestListener): Promise<HttpGateway> {
  return startHttpGateway({
    port: 0,
    atOnce: AT_ONCE,
    uploads,
    ...(beside !== undefined && { beside }),
    invoke(event) {
      events.push(event);
      return invoke(event);
    },
    onFunctionError: (error) => errors.push(error),
  });
}

/** With headers that `fetch` does not let a caller set. */
function rawRequest(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(gateway.address, options, (response) => resolve(response.resume()))
      .on('error', reject)
      .end();
  });
}

test("query parameters may have the names of Object's own properties", async () => {
  await fetch(`${gateway.address}/?constructor=a&toString=b&toString=c&__proto__=d`);
  const [event] = events as { queryStringParameters: object }[];
  expect(Object.entries(event?.queryStringParameters ?? {})).toEqual([
    ['constructor', 'a'],
    ['toString', 'b,c'],
    ['__proto__', 'd'],
  ]);
});

test('an event has the fields of API Gateway', async () => {
  const { address } = gateway;
  await fetch(`${address}/a%20b/c?x=1&y=%26&x=2`, { headers: { cookie: 'one=1; two=2', 'X-Mine': 'yes' } });
  const host = address.slice('http://'.length);
  expect(events).toEqual([
    {
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a%20b/c',
      rawQueryString: 'x=1&y=%26&x=2',
      cookies: ['one=1', 'two=2'],
      headers: expect.objectContaining({ host, 'x-mine': 'yes' }),
      queryStringParameters: { x: '1,2', y: '&' },
      requestContext: {
        accountId: expect.any(String),
        apiId: expect.any(String),
        domainName: host,
        domainPrefix: expect.any(String),
        http: {
          method: 'GET',
          path: '/a%20b/c',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: expect.any(String),
        },
        requestId: expect.any(String),
        routeKey: '$default',
        stage: '$default',
        time: expect.any(String),
        timeEpoch: expect.any(Number),
      },
      isBase64Encoded: false,
    },
  ]);
  expect(events[0]?.headers).not.toHaveProperty('cookie');
});

test.each([
  ['application/json; charset=utf-8', false],
  ['text/csv', false],
  ['image/jpeg', true],
  ['application/x-www-form-urlencoded', true],
])('a body of %s is base64 encoded: %s', async (type, isBase64Encoded) => {
  const text = '{"é": 1}';
  await fetch(gateway.address, { method: 'POST', body: text, headers: { 'content-type': type } });
  expect(events[0]).toMatchObject({
    isBase64Encoded,
    body: isBase64Encoded ? Buffer.from(text).toString('base64') : text,
  });
});

test('an answer is sent with its status, headers, cookies and bytes', async () => {
  invoke = async () => ({
    statusCode: 418,
    headers: { 'x-number': 7 },
    cookies: ['a=1', 'b=2'],
    body: Buffer.from([0, 255]).toString('base64'),
    isBase64Encoded: true,
  });
  const response = await fetch(gateway.address);
  expect(response.status).toBe(418);
  expect(response.headers.get('x-number')).toBe('7');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0, 255]));
});

test('a Host that is not this machine’s never reaches the function', async () => {
  const { port } = new URL(gateway.address);
  const statusFor = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ hostname: '127.0.0.1', port, headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${Number(port) - 1}`]) {
    expect(await statusFor(host)).toBe(421);
  }
  expect(events).toEqual([]);
  expect(await statusFor(`localhost:${port}`)).toBe(200);
  expect(await statusFor(`[::1]:${port}`)).toBe(200);
});

test.each<[string, Record<string, string>]>([
  ['a page of another origin', { origin: 'http://evil.example' }],
  ['a sandboxed page', { origin: 'null' }],
  ['a page on another port of this machine', { origin: 'http://127.0.0.1:1' }],
  ['an image in a page of another site', { 'sec-fetch-site': 'cross-site' }],
  ['an image in a page on another port', { 'sec-fetch-site': 'same-site' }],
])('a request of %s never reaches the function', async (_what, headers) => {
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    const response = await rawRequest({ method, headers });
    expect(response.statusCode).toBe(403);
    expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
  expect(events).toEqual([]);
});

test.each<[string, () => Record<string, string>]>([
  ['a page of its own', () => ({ origin: gateway.address, 'sec-fetch-site': 'same-origin' })],
  ['the address bar', () => ({ 'sec-fetch-site': 'none' })],
])('accepts requests of %s', async (_what, headers) => {
  expect((await rawRequest({ headers: headers() })).statusCode).toBe(200);
});

test.each([
  ['application/json', 6_000_001],
  ['image/jpeg', 4_500_001],
  ['image/jpeg', 10_485_761],
])('a body of %s with %d bytes is too large for API Gateway and Lambda', async (type, bytes) => {
  const body = Buffer.alloc(bytes, '.');
  const response = await fetch(gateway.address, { method: 'POST', body, headers: { 'content-type': type } });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ code: 'body_too_large' });
  expect(events).toEqual([]);
});

test('a function that ends without a response is a 500, and the next request is accepted', async () => {
  invoke = async () => {
    throw new FunctionError('ended');
  };
  const response = await fetch(gateway.address);
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ code: 'internal_error' });
  expect(errors.map(({ message }) => message)).toEqual(['ended']);
  invoke = async () => ({ statusCode: 200 });
  expect((await fetch(gateway.address)).status).toBe(200);
});

test('the function gets the maximum number of requests at once; the others wait, and all are answered', async () => {
  let now = 0;
  let most = 0;
  invoke = async () => {
    most = Math.max(most, ++now);
    await delay(20);
    now--;
    return { statusCode: 200 };
  };
  const responses = await Promise.all(Array.from({ length: 4 * AT_ONCE }, () => fetch(gateway.address)));
  expect(responses.map(({ status }) => status)).toEqual(Array(4 * AT_ONCE).fill(200));
  expect(most).toBe(AT_ONCE);
});

test('health is answered while the function is at its maximum', async () => {
  const goOn = Promise.withResolvers<void>();
  invoke = async ({ rawPath }) => {
    if (rawPath !== '/healthz') await goOn.promise;
    return { statusCode: 200 };
  };
  const slow = Array.from({ length: 2 * AT_ONCE }, () => fetch(gateway.address));
  while (events.length < AT_ONCE) await delay(1);
  expect((await fetch(`${gateway.address}/healthz`)).status).toBe(200);
  goOn.resolve();
  for (const response of await Promise.all(slow)) expect(response.status).toBe(200);
});

test('a stop answers the requests in flight, and accepts no more', async () => {
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  invoke = async () => {
    begun.resolve();
    await goOn.promise;
    return { statusCode: 200, body: 'late' };
  };
  const inHand = fetch(gateway.address);
  await begun.promise;
  const stopped = gateway.stop();
  await expect(fetch(gateway.address)).rejects.toThrow();
  goOn.resolve();
  expect(await (await inHand).text()).toBe('late');
  await stopped;
});

test('a stop does not wait for a client that does not read its response', async () => {
  const own = await start({}, (_request, response) => void response.write(Buffer.alloc(64_000_000)));
  const download = request(`${own.address}/api/download`).end();
  const [response] = (await once(download, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  await own.stop();
  expect(response.readableEnded).toBe(false);
}, 20_000);
