/** `npm run bench:api`: how long one caller of a warm API waits, and what becomes of a hundred at once. */
import Table from 'cli-table3';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { VISIBILITY_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { startAwsProcess } from '../testkit/aws-process.ts';
import { startChildModule } from '../testkit/child-module.ts';
import { byBody, byUrl, type Caller, latencies, startApi } from './api/measure-api.ts';
import { pinToCore } from './pin-to-core.ts';
import { SERVER_CORE, WORKER_CORE } from './speed/measure.ts';
import type { PhotoServer } from './speed/photo-server.ts';
import { BASELINE, picturesOf } from './speed/pictures.ts';
import { percentile } from './statistics.ts';

const WARM_UP = 20;
const CALLERS = 100;

const { requests, rounds } = new Command('bench:api')
  .description('Measures the HTTP API on one core: one caller, and 100 at once with and without shared batches.')
  .option('--requests <n>', 'of the one caller', wholeNumber(10, 10_000), 200)
  .option('--rounds <n>', 'of 100 callers each', wholeNumber(1, 100), 5)
  .allowExcessArguments(false)
  .parse()
  .opts<{ requests: number; rounds: number }>();

// The servers inherit it; the API has a core to itself.
pinToCore(SERVER_CORE);
await using aws = await startAwsProcess({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS });
await using photoServer = await startChildModule<PhotoServer>(new URL('./speed/photo-server.ts', import.meta.url));
const { hosts } = photoServer.report;
const urls = Array.from({ length: CALLERS }, (_, number) => {
  return `http://${hosts[number % hosts.length]}/${encodeURIComponent(BASELINE)}/${number}`;
});
const pictures = await picturesOf(BASELINE);
const environment = { ...aws.report.environment, ALLOWED_HOSTS: hosts.join(',') };

const table = new Table({
  head: ['callers', 'at once in the function', 'asks by', 'p50 ms', 'p99 ms', 'requests/s', 'images a batch'],
  style: { head: [], border: [] },
});
for (const atOnce of [1, 8, 16, 32, 64]) {
  await using api = await startApi({ environment, atOnce, core: WORKER_CORE });
  for (const [name, call] of [
    ['GET', byUrl(api, urls)],
    ['POST', byBody(api, pictures)],
  ] as const) {
    await latencies(call, WARM_UP, 1);
    await latencies(call, CALLERS, CALLERS);
    if (atOnce === 1) table.push([1, atOnce, name, ...(await figures(api, call, requests, 1))]);
    table.push([CALLERS, atOnce, name, ...(await figures(api, call, rounds * CALLERS, CALLERS))]);
  }
}
process.stdout.write(`${table.toString()}\n`);

async function figures(
  api: { batches(): Promise<number[]> },
  call: Caller,
  count: number,
  callers: number,
): Promise<string[]> {
  await api.batches();
  const started = performance.now();
  const times = await latencies(call, count, callers);
  const seconds = (performance.now() - started) / 1_000;
  const batches = await api.batches();
  const images = batches.reduce((sum, size) => sum + size, 0);
  if (images !== count) throw new Error(`expected ${count} images in batches, got ${images}`);
  return [
    percentile(times, 0.5).toFixed(1),
    percentile(times, 0.99).toFixed(1),
    (count / seconds).toFixed(1),
    (images / batches.length).toFixed(1),
  ];
}
