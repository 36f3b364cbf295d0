import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Session } from '../../../dashboard/contract/session.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { answerOf, startTestDashboard, type TestDashboard } from '../../support/test-dashboard.ts';

const TOKEN = 'correct-horse-battery-staple';

let aws: TestAws;
let open: TestDashboard;
let changing: TestDashboard;
let closed: TestDashboard;

beforeAll(async () => {
  aws = await startTestAws();
  open = await startTestDashboard(aws.target);
  changing = await startTestDashboard(aws.target, { allowsChanges: true });
  closed = await startTestDashboard(aws.target, { token: TOKEN });
});
afterAll(async () => {
  for (const dashboard of [open, changing, closed]) await dashboard[Symbol.asyncDispose]();
  await aws.stop();
});

/** With headers that `fetch` does not let a caller set. */
async function rawRequest(
  { address }: TestDashboard,
  path: string,
  options: RequestOptions & { body?: string } = {},
): Promise<{ status: number | undefined; headers: IncomingMessage['headers']; text: string }> {
  const { body, ...rest } = options;
  const sent = request(new URL(path, address), rest).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

const codeOf = ({ text }: { text: string }) => JSON.parse(text).error.code;

describe('each response', () => {
  test.each(['/', '/api/session', '/api/nothing', '/nothing', '/healthz', '/assets/nothing.js'])(
    'of %s has a policy without inline scripts and styles, and may not be framed',
    async (path) => {
      const { headers } = await open.get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy.split('; ').sort()).toEqual([
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "manifest-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
      ]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-frame-options')).toBe('DENY');
    },
  );
});

describe('a page of the web', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example:4568'])(
    'whose name was made to lead here (Host %j) is refused',
    async (host) => {
      const response = await rawRequest(open, '/api/session', { headers: { host } });
      expect(response.status).toBe(421);
      expect(response.text).not.toContain('csrfToken');
    },
  );

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://127.0.0.1:1' },
  ])('that sends %j is refused', async (headers) => {
    const response = await rawRequest(open, '/api/session', { headers });
    expect({ status: response.status, code: codeOf(response) }).toEqual({ status: 403, code: 'origin-not-allowed' });
  });

  test('may link to the page, and to nothing else', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await rawRequest(open, '/', { headers })).status).not.toBe(403);
    expect((await rawRequest(open, '/api/session', { headers })).status).toBe(403);
    expect((await rawRequest(open, '/', { headers: { ...headers, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
  });
});

describe('a change', () => {
  const CHANGES = [
    '/api/dead-letters/redrive',
    '/api/dead-letters/delete',
    '/api/jobs/cats/cancel',
    '/api/jobs/cats/redrive',
    '/api/jobs/cats',
    '/api/nothing',
  ];

  test.each(CHANGES)('at %s is refused by a read-only server', async (path) => {
    const response = await open.post(path, { filter: {}, confirm: 'cats' });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'read-only' } });
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])('by the method %s is refused too', async (method) => {
    expect((await rawRequest(open, '/api/jobs/cats', { method })).status).toBe(403);
  });

  test('without the CSRF token, with a wrong one or with that of another server is refused', async () => {
    const { csrfToken } = await open.json<Session>('/api/session');
    for (const given of ['', 'x'.repeat(32), csrfToken]) {
      const response = await changing.post(
        '/api/jobs/cats/cancel',
        { confirm: 'cats' },
        { 'x-labelqueue-csrf': given },
      );
      expect(await answerOf(response)).toMatchObject({
        status: 403,
        error: { code: 'csrf' },
      });
    }
  });

  test('in a form that a web page can send without a preflight is refused', async () => {
    const response = await changing.post('/api/jobs/cats/cancel', 'confirm=cats', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(await answerOf(response)).toMatchObject({
      status: 400,
      error: { code: 'bad-request' },
    });
  });

  test.each([
    ['no JSON', '{'],
    ['an unknown field', '{"confirm":"cats","force":true}'],
    ['another type', '{"confirm":1}'],
    ['nothing', ''],
  ])('with %s in its body is refused with a message', async (_what, body) => {
    const response = await changing.post('/api/jobs/cats/cancel', body);
    expect(await answerOf(response)).toMatchObject({
      status: 400,
      error: { code: 'bad-request', message: expect.stringMatching(/./) },
    });
  });

  test('with a body of a megabyte is refused', async () => {
    const response = await changing.post('/api/jobs/cats/cancel', { confirm: 'x'.repeat(1_000_000) });
    expect(response.status).toBe(400);
  });

  test('of an unknown job is refused', async () => {
    const response = await changing.post('/api/jobs/dogs/cancel', { confirm: 'dogs' });
    expect(await answerOf(response)).toMatchObject({
      status: 404,
      error: { code: 'no-such-job' },
    });
  });
});

describe('with a token', () => {
  test.each(['/', '/api/session', '/api/events?range=1h', '/assets/main.js', '/metrics', '/nothing'])(
    '%s is closed without it',
    async (path) => {
      const response = await closed.get(path);
      expect(await answerOf(response)).toMatchObject({ status: 401, error: { code: 'token-required' } });
    },
  );

  test('health is open', async () => {
    const response = await closed.get('/healthz');
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'ok' });
  });

  test('programs send it in a header', async () => {
    expect((await closed.get('/api/session', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await closed.get('/api/session', { authorization: `Bearer ${TOKEN}x` })).status).toBe(401);
    expect((await closed.get('/api/session', { authorization: TOKEN })).status).toBe(401);
  });

  test('browsers get a cookie at the address with the token, and are redirected to the one without', async () => {
    const response = await closed.get(`/?token=${TOKEN}`);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/');
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const [pair = ''] = cookie.split(';');
    expect((await closed.get('/api/session', { cookie: `other=1; ${pair}` })).status).toBe(200);
    expect((await closed.get('/api/session', { cookie: `${pair}x` })).status).toBe(401);
  });

  test('an address with a wrong token gets nothing', async () => {
    const response = await closed.get(`/?token=${TOKEN}x`);
    expect({ status: response.status, cookie: response.headers.get('set-cookie') }).toEqual({
      status: 401,
      cookie: null,
    });
  });

  test("it is accepted only in the page's address: addresses of the API are logged", async () => {
    expect((await closed.get(`/api/session?token=${TOKEN}`)).status).toBe(401);
  });
});

describe('files', () => {
  test('of the page have an ETag, are compressed, and are not sent twice', async () => {
    const response = await open.get('/', { 'accept-encoding': 'br, gzip' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-encoding')).toBe('br');
    expect(await response.text()).toMatch(/^<!doctype html>/i);
    const etag = response.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect((await open.get('/', { 'if-none-match': etag })).status).toBe(304);
  });

  test.each([
    '/assets/../contract/units.ts',
    '/assets/..%2fcontract/units.ts',
    '/assets/%2e%2e/contract/units.ts',
    '/assets/%2e%2e%2fserver/app.ts',
    '/assets//etc/passwd',
    '/assets/.git',
    '/assets/index.html%00.js',
    '/assets/tsconfig.json',
    '/assets/vendor/react.js',
  ])('%s is not one of them', async (path) => {
    expect((await rawRequest(open, path)).status).toBe(404);
  });

  test('of libraries are only those that the page needs', async () => {
    const response = await open.get('/assets/vendor/chart.js');
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const source = await response.text();
    expect(source).toContain('Chart.js v');
    expect(source).not.toContain('sourceMappingURL');
  });
});

test('HEAD opens no stream and starts no download', async () => {
  for (const path of ['/api/events?range=1h', '/api/jobs/cats/results.csv']) {
    expect((await rawRequest(open, path, { method: 'HEAD' })).status).toBe(400);
  }
  expect((await rawRequest(open, '/', { method: 'HEAD' })).status).toBe(200);
});

test('metrics are those of the page, or of the server with the workers, in Prometheus format', async () => {
  expect(await (await open.get('/metrics')).text()).toContain('labelqueue_queue_up 1');
  await using other = await startTestDashboard(aws.target, { metrics: async () => 'labelqueue_up 1\n' });
  const response = await other.get('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('labelqueue_up 1\n');
});

test('none of this was reported as a bug', () => {
  expect([...open.surprises, ...changing.surprises, ...closed.surprises]).toEqual([]);
});
