import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { FunctionError } from '../../local/execution-environment.ts';
import { type HttpGateway, startHttpGateway } from '../../local/http-gateway.ts';

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
  gateway = await startHttpGateway({
    port: 0,
    atOnce: AT_ONCE,
    invoke(event) {
      events.push(event);
      return invoke(event);
    },
    onFunctionError: (error) => errors.push(error),
  });
});
afterEach(() => gateway.stop());

test('query parameters may have the names of what every object has', async () => {
  await fetch(`${gateway.address}/?constructor=a&toString=b&toString=c&__proto__=d`);
  const [event] = events as { queryStringParameters: object }[];
  expect(Object.entries(event?.queryStringParameters ?? {})).toEqual([
    ['constructor', 'a'],
    ['toString', 'b,c'],
    ['__proto__', 'd'],
  ]);
});

test('an event has what API Gateway says of a request', async () => {
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
])('a body of %s is in base64: %s', async (type, isBase64Encoded) => {
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
});

test.each([
  ['application/json', 6_000_001],
  ['image/jpeg', 4_500_001],
  ['image/jpeg', 10_485_761],
])('a body of %s with %d bytes is more than API Gateway and Lambda take', async (type, bytes) => {
  const body = Buffer.alloc(bytes, '.');
  const response = await fetch(gateway.address, { method: 'POST', body, headers: { 'content-type': type } });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ code: 'body_too_large' });
  expect(events).toEqual([]);
});

test('a function that ends without an answer is a 500, and the next request is taken', async () => {
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

test('the function is given so many requests at once; the others wait, and all are answered', async () => {
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

test('a stop answers what is in hand, and takes nothing more', async () => {
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
