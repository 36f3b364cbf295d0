/** `npm run bench:cold`: how long the packaged worker takes until its first result, and what takes how long. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageWorker } from '../infra/package/package-worker.ts';
import { startImageServer } from '../testkit/image-server.ts';
import { makeWritable, unzipPackage } from '../testkit/lambda/packaged-worker.ts';
import { runtimeClient } from '../testkit/lambda/runtime-client.ts';
import { createTemporaryFolder } from '../testkit/temporary-folder.ts';
import { startTestAws } from '../testkit/test-aws.ts';
import { prepareAvx2Only } from './avx2/avx2-only.ts';
import { coldTable } from './cold/cold-table.ts';
import { type Bench, measureStart, type Start } from './cold/measure-start.ts';

const ROOT = join(import.meta.dirname, '..');
const WARM_INVOCATIONS = 5;

const options = new Command('bench:cold')
  .description('Packages the worker and starts it as Lambda would, on one core, with one image waiting for it.')
  .option('--runs <n>', 'starts of each kind; the medians are printed', Number, 5)
  .option('--core <n>', 'the core that the worker is pinned to', '0')
  .option('--avx2', 'under AVX2', false)
  .option('--json', 'every figure, as JSON', false)
  .allowExcessArguments(false)
  .parse()
  .opts<{ runs: number; core: string; avx2: boolean; json: boolean }>();

await using folder = await createTemporaryFolder();
await using aws = await startTestAws();
await using images = await startImageServer();
const task = join(folder.path, 'task');
const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(ROOT, 'dist') };
const { path } = await packageWorker(folders, 'this machine');
await unzipPackage(path, task);
const bench: Bench = {
  task,
  temporary: join(folder.path, 'tmp'),
  runtimeClient: await runtimeClient(),
  environment: { ...aws.environment, ALLOWED_HOSTS: images.host, ...(options.avx2 && (await avx2Environment())) },
  // By its path: the worker's PATH leads to Node alone.
  wrapper: ['/usr/bin/taskset', '-c', options.core],
  photo: images.url('/photos/coffee.jpg'),
};

// The first start reads everything from the disk: the figures are those of a warm page cache.
await startWithEmptyFolder();
const unpacking: Start[] = [];
const filled: Start[] = [];
for (let run = 0; run < options.runs; run += 1) {
  unpacking.push(await startWithEmptyFolder());
  filled.push(await measureStart(bench, WARM_INVOCATIONS));
}
makeWritable(task);
process.stdout.write(options.json ? `${JSON.stringify({ unpacking, filled })}\n` : coldTable(unpacking, filled));

async function avx2Environment(): Promise<Readonly<Record<string, string>>> {
  const prepared = await prepareAvx2Only(join(ROOT, '.labelqueue/bench'), []);
  if ('reason' in prepared) throw new Error(`--avx2 cannot be had: ${prepared.reason}`);
  return prepared.environment;
}

async function startWithEmptyFolder(): Promise<Start> {
  await rm(bench.temporary, { recursive: true, force: true });
  await mkdir(bench.temporary);
  return measureStart(bench, WARM_INVOCATIONS);
}
