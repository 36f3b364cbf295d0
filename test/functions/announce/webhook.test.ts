import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { createWebhook } from '../../../functions/announce/webhook.ts';
import { createHttpClient, type HttpClient } from '../../../shared/classifier/fetch/http-client.ts';
import { type JobEnd, jobEndId } from '../../../shared/contract/job-end.ts';
import { newWebhookSecret } from '../../../shared/contract/standard-webhook.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { anyRun } from '../../support/ended-run.ts';

type Received = { path: string; headers: IncomingMessage['headers']; body: string };

const SECRET = newWebhookSecret();
let http: HttpClient;
let host: string;
let received: Received[] = [];
let answer: (response: ServerResponse) => void;
const server = createServer(async (request, response) => {
  received.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
  answer(response);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  http = createHttpClient([host]);
});
afterEach(() => {
  received = [];
});
afterAll(async () => {
  await http.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const run = anyRun();
const END: JobEnd = {
  ...{ v: 1, id: jobEndId({ ...run, generation: 0 }), ...run, generation: 0, state: 'completed' },
  ...{ images: 1, classified: 1, failed: 0, failedByCode: {}, withoutOutcome: 0 },
  ...{ costUsd: 0.1, computing: { workers: [], measuredShare: 1 } },
  ...{ startedAt: '2026-11-24T10:00:00.000Z', endedAt: '2026-11-24T10:01:00.000Z' },
  ...{ bucket: 'labelqueue', results: 'results/job=cats/', failures: 'failures/job=cats/' },
};

function send(url = `http://${host}/hook?team=1`, options: Partial<Parameters<typeof createWebhook>[0]> = {}) {
  return createWebhook({ http, secret: async () => SECRET, ...options })(url)(END);
}

test('gets the end of a job as a POST that its receiver can verify', async () => {
  answer = (response) => void response.writeHead(204).end();
  await send();
  const [{ path, headers, body }] = received as [Received];
  expect(path).toBe('/hook?team=1');
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': END.id });
  expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toEqual({
    ...{ type: 'job.ended', timestamp: END.endedAt, data: END },
  });
});

test('has the same id and body each time, and a new time stamp', async () => {
  answer = (response) => void response.writeHead(200).end();
  for (const seconds of [1, 100]) await send(undefined, { now: () => new Date(seconds * 1_000) });
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([END.id, END.id]);
  expect(received.map(({ headers }) => headers['webhook-timestamp'])).toEqual(['1', '100']);
});

test.each([302, 400, 410, 429, 500, 503])('that answers %s has not taken it', async (status) => {
  answer = (response) => void response.writeHead(status, { location: '/elsewhere' }).end();
  await expect(send()).rejects.toThrow(`expected status 2xx, got ${status}`);
  // A redirect is not followed, and a request is not repeated by itself.
  expect(received.map(({ path }) => path)).toEqual(['/hook?team=1']);
});

test('that never ends its response is not read to the end', async () => {
  let isClosed = false;
  answer = (response) => {
    response.on('close', () => {
      isClosed = true;
    });
    response.writeHead(200);
    const more = () => {
      if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
    };
    more();
  };
  await send();
  await expect(eventually('its connection is closed', () => isClosed)).resolves.toBeUndefined();
});

test('that does not answer is aborted', async () => {
  answer = () => {};
  await expect(send(undefined, { timeoutMs: 200 })).rejects.toThrow(/timeout|aborted/i);
});

test.each(['http://127.0.0.1:9/', 'http://169.254.169.254/latest/meta-data', 'http://[::1]/', 'http://localhost/'])(
  'at %s is refused as an image would be',
  async (url) => {
    await expect(send(url)).rejects.toThrow('is not a public address');
  },
);

test('without a secret is not sent', async () => {
  await expect(send(undefined, { secret: async () => undefined })).rejects.toThrow('WEBHOOK_SECRET');
  expect(received).toEqual([]);
});
