/** A real browser opens a page of another site, which attacks what `labelqueue local` listens on. */
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Browser, Page } from 'playwright-core';
import { type HttpGateway, startHttpGateway } from '../../local/http-gateway.ts';
import { startBrowser } from '../../testkit/browser.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';

/** What the functions that run in the page use of it. */
type PageElement = {
  append(child: PageElement): void;
  submit(): void;
  onload: (value: unknown) => void;
  onerror: (value: unknown) => void;
  src: string;
};
declare const document: { createElement(tag: string): PageElement; body: PageElement };

const SECRET = 'what only this machine may read';

let folder: TemporaryFolder;
let aws: TestAws;
let gateway: HttpGateway;
let events: APIGatewayProxyEventV2[];
let site: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  aws = await startTestAws({ dataDir: join(folder.path, 'state') });
  events = [];
  gateway = await startHttpGateway({
    port: 0,
    atOnce: 1,
    async invoke(event) {
      events.push(event);
      return { statusCode: 200, body: SECRET };
    },
    onFunctionError: () => {},
  });
  site = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title>');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  // Whatever a name server says of the attacker's names, it says that they are this machine.
  browser = await startBrowser(['--host-resolver-rules=MAP *.example 127.0.0.1', '--no-proxy-server']);
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key: 'kept', Body: SECRET }));
}, 60_000);
beforeEach(async () => {
  page = await browser.newPage();
});
afterEach(async () => {
  await page.close();
  const { Contents = [] } = await aws.target.s3.send(new ListObjectsV2Command({ Bucket: aws.target.resultsBucket }));
  expect(Contents.map(({ Key }) => Key)).toEqual(['kept']);
  expect(aws.queued()).toEqual([]);
  expect(events).toEqual([]);
  expect(existsSync(join(folder.path, 'written.data'))).toBe(false);
});
afterAll(async () => {
  await browser.close();
  site.closeAllConnections();
  site.close();
  await gateway.stop();
  await aws.stop();
  await folder[Symbol.asyncDispose]();
});

/** Opens the attacker's page, as http://evil.example with a port of its own. */
async function openEvilPage(): Promise<void> {
  await page.goto(`http://evil.example:${(site.address() as AddressInfo).port}/`);
}

const endpoint = () => aws.environment.AWS_ENDPOINT_URL;

test('a page sends forms: a file, a deletion, a topic, a job', async () => {
  const forms = [
    {
      action: `${endpoint()}/labelqueue`,
      enctype: 'multipart/form-data',
      fields: { key: '../../../../../written', file: 'x' },
    },
    {
      action: `${endpoint()}/labelqueue?delete`,
      enctype: 'text/plain',
      fields: { '<Delete><Key>kept</Key>': '</Delete>' },
    },
    {
      action: endpoint(),
      enctype: 'application/x-www-form-urlencoded',
      fields: { Action: 'CreateTopic', Name: 'evil' },
    },
    { action: `${gateway.address}/jobs`, enctype: 'text/plain', fields: { '{"x":"': '"}' } },
  ];
  for (const form of forms) {
    await page.close();
    page = await browser.newPage();
    await openEvilPage();
    const answered = page.waitForResponse((response) => response.url().startsWith(form.action));
    await page.evaluate(({ action, enctype, fields }) => {
      const element = Object.assign(document.createElement('form'), { action, enctype, method: 'POST' });
      for (const [name, value] of Object.entries(fields)) {
        element.append(Object.assign(document.createElement('textarea'), { name, value }));
      }
      document.body.append(element);
      element.submit();
    }, form);
    const answer = await answered;
    expect({ url: answer.url(), status: answer.status() }).toMatchObject({ status: 403 });
  }
});

test('a page fetches with and without CORS: it reads nothing and changes nothing', async () => {
  await openEvilPage();
  const urls = [endpoint(), `${endpoint()}/labelqueue/kept`, `${gateway.address}/healthz`];
  const attempts = await page.evaluate(async (targets) => {
    const outcomes: string[] = [];
    for (const url of targets) {
      for (const init of [
        {},
        { mode: 'no-cors' },
        { mode: 'no-cors', method: 'POST', body: 'x' },
        { method: 'PUT', body: 'x' },
        { method: 'DELETE' },
        { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=LQ/x' } },
      ] as RequestInit[]) {
        outcomes.push(
          await fetch(url, init).then(
            async (response) => `${response.type}: ${await response.text()}`,
            () => 'refused',
          ),
        );
      }
    }
    return outcomes;
  }, urls);
  expect(attempts).toHaveLength(urls.length * 6);
  // An opaque answer is one that the page cannot look into.
  expect(new Set(attempts)).toEqual(new Set(['refused', 'opaque: ']));
});

test('a page loads images, scripts and frames from the server: all are refused', async () => {
  await openEvilPage();
  const targets = [`${endpoint()}/labelqueue/kept`, `${gateway.address}/classify?url=http://127.0.0.1:1/x`];
  const statuses: number[] = [];
  page.on('response', (response) => {
    if (targets.includes(response.url())) statuses.push(response.status());
  });
  const loaded = await page.evaluate(async (urls) => {
    const load = (tag: 'img' | 'script', url: string) =>
      new Promise((resolve) => {
        const element = document.createElement(tag);
        element.onload = () => resolve('loaded');
        element.onerror = () => resolve('refused');
        element.src = url;
        document.body.append(element);
      });
    const outcomes: unknown[] = [];
    for (const url of urls) outcomes.push(await load('img', url), await load('script', url));
    for (const url of urls) {
      const frame = document.createElement('iframe');
      const done = new Promise((resolve) => {
        frame.onload = resolve;
      });
      frame.src = url;
      document.body.append(frame);
      await done;
    }
    return outcomes;
  }, targets);
  expect(loaded).toEqual(Array(4).fill('refused'));
  // Of some refusals the browser keeps even the status to itself.
  expect(new Set(statuses)).toEqual(new Set([403]));
});

test('a page opens web sockets: none is accepted', async () => {
  await openEvilPage();
  const outcomes = await page.evaluate(
    (urls) =>
      Promise.all(
        urls.map(
          (url) =>
            new Promise((resolve) => {
              const socket = new WebSocket(url.replace('http', 'ws'));
              socket.onopen = () => resolve('opened');
              socket.onerror = () => resolve('refused');
            }),
        ),
      ),
    [endpoint(), gateway.address],
  );
  expect(outcomes).toEqual(['refused', 'refused']);
});

test('a page whose name resolves to this machine (DNS rebinding) has the same origin, and still reads nothing', async () => {
  for (const address of [endpoint(), gateway.address]) {
    const rebound = address.replace('127.0.0.1', 'rebound.example');
    const answer = await page.goto(rebound);
    expect(answer?.status()).toBe(421);
    const outcomes = await page.evaluate(async () => {
      const statuses: number[] = [];
      for (const [path, method] of [
        ['/', 'GET'],
        ['/labelqueue/kept', 'GET'],
        ['/labelqueue/kept', 'DELETE'],
        ['/labelqueue/written', 'PUT'],
        ['/jobs', 'POST'],
      ] as const) {
        const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=LQ/x' };
        const body = method === 'PUT' || method === 'POST' ? 'x' : null;
        statuses.push((await fetch(path, { method, headers, body })).status);
      }
      return statuses;
    });
    expect(outcomes).toEqual(Array(5).fill(421));
  }
});

test('the attacks succeed against a server without the gate', async () => {
  // Or the tests above would pass with a browser that reaches nothing at all.
  let heads = '';
  const open = createTcpServer((socket) => {
    socket.setEncoding('latin1').on('data', (text) => {
      heads += text;
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: *\r\n\r\nok');
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve));
  const { port } = open.address() as AddressInfo;
  await openEvilPage();
  const read = await page.evaluate(async (url) => (await fetch(url)).text(), `http://127.0.0.1:${port}/`);
  await page.goto(`http://rebound.example:${port}/`);
  open.close();
  expect(read).toBe('ok');
  expect(heads).toMatch(/^sec-fetch-site: cross-site\r$/im);
  expect(heads).toContain(`Host: rebound.example:${port}`);
});
