import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';
import { type PrometheusFamily, parsePrometheus, sampleOf } from '../support/prometheus-text.ts';

let state: TemporaryFolder;
let images: ImageServer;
let local: RunningCommand;
let address: string;
let environment: Record<string, string>;

beforeAll(async () => {
  [state, images] = await Promise.all([createTemporaryFolder(), startImageServer()]);
  const options = ['--port', '0', '--workers', '1', '--allow-host', images.host, '--state-dir', state.path];
  local = startCommand(['local', ...options]);
  await local.says(/^export RESULTS_BUCKET=.*\n/m);
  [, address = ''] = /metrics for Prometheus are at (http:\S+)\n/.exec(local.stderr()) ?? [];
  environment = Object.fromEntries(
    [...local.stdout().matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
}, 60_000);
afterAll(async () => {
  local.interrupt();
  await local.ended;
  await images.close();
  await state[Symbol.asyncDispose]();
});

async function scrape(): Promise<Map<string, PrometheusFamily>> {
  const response = await fetch(address);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parsePrometheus(await response.text());
}

test("before any work has zeros, an empty queue, and the worker's platform", async () => {
  const families = await scrape();
  expect(sampleOf(families, 'labelqueue_queue_messages', { state: 'waiting' })).toBe(0);
  expect(sampleOf(families, 'labelqueue_queue_oldest_message_age_seconds')).toBe(0);
  expect(sampleOf(families, 'labelqueue_queue_time_to_drain_seconds')).toBe(0);
  expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'classified' })).toBe(0);
  const [worker] = families.get('labelqueue_worker_info')?.samples ?? [];
  expect(worker?.labels).toEqual({
    processor: expect.stringMatching(/\S/),
    model: expect.stringMatching(/^efficientnet/),
  });
});

test('a job of two images and a dead link is counted, timed and priced', async () => {
  const input = ['/photos/coffee.jpg', '/photos/chelsea.jpg', '/status/404'].map((path) => `${images.url(path)}\n`);
  expect(await runCommand(['enqueue', '-', '--job', 'cups'], { environment, input })).toMatchObject({ code: 0 });
  let families = new Map<string, PrometheusFamily>();
  await eventually('the counts', async () => {
    families = await scrape();
    return sampleOf(families, 'labelqueue_stage_duration_seconds_count', { stage: 'fetch' }) === 3;
  });
  expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'classified' })).toBe(2);
  expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'failed', code: 'not_found' })).toBe(1);
  expect(sampleOf(families, 'labelqueue_messages_total', { outcome: 'settled' })).toBe(1);
  expect(sampleOf(families, 'labelqueue_queue_messages', { state: 'dead' })).toBe(1);
  expect(sampleOf(families, 'labelqueue_stage_duration_seconds_count', { stage: 'decode' })).toBe(2);
  expect(sampleOf(families, 'labelqueue_cost_usd_total')).toBeGreaterThan(0);
}, 60_000);

test('a message that waits for a retry is counted as delayed, and has an age', async () => {
  const input = [`${images.url('/status/503')}\n`];
  expect(await runCommand(['enqueue', '-', '--job', 'busy'], { environment, input })).toMatchObject({ code: 0 });
  let families = new Map<string, PrometheusFamily>();
  await eventually('the retry', async () => {
    families = await scrape();
    return sampleOf(families, 'labelqueue_images_total', { outcome: 'retried', code: 'server_error' }) === 1;
  });
  expect(sampleOf(families, 'labelqueue_queue_messages', { state: 'delayed' })).toBe(1);
  expect(sampleOf(families, 'labelqueue_queue_oldest_message_age_seconds')).toBeGreaterThan(0);
}, 60_000);

describe('strangers', () => {
  function statusFor(headers: Record<string, string>, method = 'GET'): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      request(address, { method, headers }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  }

  test.each([
    ['a name that leads here', { host: 'evil.example' }, 421],
    ['a page of another origin', { origin: 'https://evil.example' }, 403],
    ['an image or script of another page', { 'sec-fetch-site': 'cross-site' }, 403],
  ] as [string, Record<string, string>, number][])('who come by %s get none of it', async (_how, headers, status) => {
    expect(await statusFor(headers)).toBe(status);
  });

  test('refuses requests that send something: the read-only dashboard answers at this address', async () => {
    expect(await statusFor({}, 'HEAD')).toBe(200);
    expect(await statusFor({}, 'POST')).toBe(403);
  });
});
