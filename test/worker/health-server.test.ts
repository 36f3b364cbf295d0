import { request } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { type HealthServer, startHealthServer } from '../../worker/health-server.ts';

let server: HealthServer | undefined;
let isReady = false;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function start(host = '127.0.0.1'): Promise<string> {
  server = await startHealthServer({ port: 0, host, isReady: () => isReady, metrics: async () => 'up 1\n' });
  return server.address;
}

/** `fetch` sets the Host by itself. */
function statusWithHost(address: string, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${address}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

test('is healthy at once, and ready when it can accept work', async () => {
  const address = await start();
  const statusOf = async (path: string) => (await fetch(`${address}${path}`)).status;
  expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 503]);
  isReady = true;
  expect([await statusOf('/healthz?x=1'), await statusOf('/readyz')]).toEqual([200, 200]);
});

test('serves metrics in Prometheus format', async () => {
  const response = await fetch(`${await start()}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('up 1\n');
});

test('answers no web page whose name resolves to this machine', async () => {
  const address = await start();
  expect(await statusWithHost(address, '/metrics', 'attacker.example')).toBe(421);
  expect(await statusWithHost(address, '/metrics', 'localhost:80')).toBe(200);
});

test.each(['127.0.0.2', '::1', '::ffff:127.0.0.1', 'LOCALHOST'])(
  'answers no page of the web either where it listens on %s',
  async (host) => {
    const address = await start(host);
    expect(await statusWithHost(address, '/metrics', 'attacker.example')).toBe(421);
    expect((await fetch(`${address}/metrics`)).status).toBe(200);
    expect(await statusWithHost(address, '/metrics', 'localhost')).toBe(200);
  },
);

test('answers probes with any host name when it listens on other addresses', async () => {
  const address = (await start('0.0.0.0')).replace('0.0.0.0', '127.0.0.1');
  expect(await statusWithHost(address, '/readyz', '10.0.0.7:8080')).toBe(200);
});
