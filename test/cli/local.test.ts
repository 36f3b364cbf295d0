import { readFile, truncate } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { counted } from '../../cli/terminal/counted.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { layersFolder } from '../classifier/tfjs-folders.ts';
import { type CommandRun, type RunningCommand, runCommand, startCommand } from '../support/command.ts';

const PHOTO = join(import.meta.dirname, '../../samples/photos/coffee.jpg');

let state: TemporaryFolder;
let images: Server;
/** What the image server does with a request; the photo if nothing else is said. */
let answer: RequestListener;
let local: RunningCommand | undefined;

beforeEach(async () => {
  state = await createTemporaryFolder();
  const photo = await readFile(PHOTO);
  answer = (_request, response) => void response.end(photo);
  images = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  images.closeAllConnections();
  images.close();
  await stopped();
  await state[Symbol.asyncDispose]();
});

function host(): string {
  return `127.0.0.1:${(images.address() as AddressInfo).port}`;
}

/** Starts `labelqueue local` and gives the variables that it prints. */
async function start(...options: string[]): Promise<Record<string, string>> {
  const started = startCommand(['local', '--port', '0', '--workers', '1', '--state-dir', state.path, ...options]);
  local = started;
  await started.says(/^export RESULTS_BUCKET=.*\n/m);
  return Object.fromEntries(
    [...started.stdout().matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
}

async function stopped(): Promise<CommandRun | undefined> {
  local?.interrupt();
  return local?.ended;
}

function targetOf(environment: Record<string, string>): JobTarget {
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '' } = environment;
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = environment;
  const credentials = { accessKeyId, secretAccessKey };
  return createJobTarget(jobSettingsFrom(environment), { endpoint, region, credentials, maxAttempts: 1 });
}

async function resultIds(target: JobTarget, job: string): Promise<string[]> {
  return [...(await readOutcomes(target, job)).results.keys()];
}

async function enqueue(environment: Record<string, string>, job: string, ...paths: string[]): Promise<void> {
  const input = paths.map((path) => `http://${host()}/${path}\n`);
  const run = await runCommand(['enqueue', '-', '--job', job], { environment, input });
  expect(run).toMatchObject({ code: 0, stdout: `job ${job}: ${counted(paths.length, 'image')} in 1 message\n` });
}

test('prints the variables for the command, labels enqueued images, and keeps its state for the next start', async () => {
  const environment = await start('--allow-host', host());
  expect(Object.keys(environment)).toEqual([
    'AWS_ENDPOINT_URL',
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'QUEUE_URL',
    'DEAD_LETTER_QUEUE_URL',
    'JOB_END_QUEUE_URL',
    'RESULTS_BUCKET',
  ]);
  await enqueue(environment, 'cups', 'a.jpg', 'b.jpg');
  const target = targetOf(environment);
  while ((await resultIds(target, 'cups')).length < 2) await delay(50);
  const end = await stopped();
  expect(end?.stderr).toContain('finishing in-flight work');
  expect(end?.code).toBe(0);

  const again = targetOf(await start());
  expect((await resultIds(again, 'cups')).toSorted()).toEqual([`http://${host()}/a.jpg`, `http://${host()}/b.jpg`]);
}, 120_000);

test('runs the given model, whose name and version are in the lines', async () => {
  await using folder = await layersFolder();
  const environment = await start('--allow-host', host(), '--model', folder.path);
  await enqueue(environment, 'tiny', 'a.jpg');
  const target = targetOf(environment);
  while ((await resultIds(target, 'tiny')).length < 1) await delay(50);
  const [line] = (await readOutcomes(target, 'tiny')).results.values();
  expect(line?.model).toEqual({ name: 'tiny', version: '3' });
  expect(line?.labels.map(({ label }) => label).toSorted()).toEqual(['blue', 'green', 'red']);
}, 120_000);

test('on Ctrl-C finishes work in flight, and leaves the rest on the queue for the next start', async () => {
  const environment = await start('--allow-host', host());
  const photo = await readFile(PHOTO);
  answer = async (_request, response) => {
    await enqueue(environment, 'rest', 'b.jpg');
    local?.interrupt();
    // Long enough for a command that does not wait to be gone.
    await delay(500);
    response.end(photo);
  };
  await enqueue(environment, 'in-hand', 'a.jpg');
  expect(await local?.ended).toMatchObject({ code: 0 });

  answer = (_request, response) => void response.end(photo);
  const again = targetOf(await start('--allow-host', host()));
  expect(await resultIds(again, 'in-hand')).toEqual([`http://${host()}/a.jpg`]);
  while ((await resultIds(again, 'rest')).length < 1) await delay(50);
  expect(await resultIds(again, 'rest')).toEqual([`http://${host()}/b.jpg`]);
}, 120_000);

test('continues at once with what was in flight when it was killed', async () => {
  const environment = await start('--allow-host', host());
  const photo = await readFile(PHOTO);
  const asked = Promise.withResolvers<void>();
  // The first request gets no answer.
  answer = () => asked.resolve();
  await enqueue(environment, 'killed', 'a.jpg');
  await asked.promise;
  local?.signal('SIGKILL');
  await local?.ended;

  answer = (_request, response) => void response.end(photo);
  const again = targetOf(await start('--allow-host', host()));
  // Its visibility timeout would be many times as long.
  await eventually('the image is labeled', async () => (await resultIds(again, 'killed')).length === 1);
  expect(await resultIds(again, 'killed')).toEqual([`http://${host()}/a.jpg`]);
}, 120_000);

test.each(['SIGTERM', 'SIGHUP'] as const)(
  '%s ends it as Ctrl-C does',
  async (signal) => {
    await start();
    local?.signal(signal);
    const end = await local?.ended;
    expect(end?.stderr).toContain(
      'finishing in-flight work… Press Ctrl-C again to exit at once; the rest continues at the next start\n',
    );
    expect(end?.code).toBe(0);
  },
  60_000,
);

test('says which process has the state folder, and how to choose another', async () => {
  await start();
  const run = await runCommand(['local', '--port', '0', '--state-dir', state.path]);
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toMatch(
    /^labelqueue: \S+\/local is in use by process \d+: stop it, or choose another folder with --state-dir .*\n$/,
  );
}, 60_000);

test.each(['local', 'demo'])(
  '%s ends with one line where the state folder cannot be made',
  async (command) => {
    const { code, stdout, stderr } = await runCommand([command, '--state-dir', '/proc/x/y']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^labelqueue: \/proc\S*: .+\n$/);
  },
  60_000,
);

test('starts on a state with an empty description of an object, and names the file', async () => {
  const environment = await start();
  await targetOf(environment).s3.send(new PutObjectCommand({ Bucket: 'labelqueue', Key: 'a', Body: 'x' }));
  await stopped();
  const file = join(state.path, 'local/s3/buckets/labelqueue/objects/a.meta.json');
  await truncate(file);
  await start();
  expect(local?.stderr()).toContain(`labelqueue: ${file} is damaged (it is empty)`);
}, 60_000);

test('ends with an error when the queue is deleted', async () => {
  const target = targetOf(await start());
  await target.sqs.send(new DeleteQueueCommand({ QueueUrl: target.queueUrl }));
  const end = await local?.ended;
  expect(end?.stderr).toMatch(/^labelqueue: .*QueueDoesNotExist/m);
  expect(end?.code).toBe(1);
});

test('serves the HTTP API, prints its address, allows the same hosts, and ends with it', async () => {
  await start('--allow-host', host());
  const [, address = ''] = /the HTTP API is at (http:\/\/127\.0\.0\.1:\d+);/.exec(local?.stderr() ?? '') ?? [];
  const answer = await fetch(`${address}/classify?url=http://${host()}/a.jpg`);
  expect(await answer.json()).toMatchObject({ return: expect.stringMatching(/^espresso /) });
  expect(await stopped()).toMatchObject({ code: 0 });
  await expect(fetch(`${address}/healthz`)).rejects.toThrow();
});

test('says that the port of its API is in use', async () => {
  const { port } = images.address() as AddressInfo;
  const run = await runCommand(['local', '--port', '0', '--api-port', String(port), '--state-dir', state.path]);
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toBe(`labelqueue: port ${port} is already in use; choose another with --api-port\n`);
});

test('says that its port is in use', async () => {
  const { port } = images.address() as AddressInfo;
  const run = await runCommand(['local', '--port', String(port), '--state-dir', state.path]);
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toBe(`labelqueue: port ${port} is already in use; choose another with --port\n`);
});

test('names an invalid host before it starts anything', async () => {
  const run = await runCommand(['local', '--allow-host', 'localhost', '--state-dir', state.path]);
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain("'--allow-host <host:port>' argument 'localhost' is invalid. Expected HOST:PORT");
});

test('says why the workers do not start', async () => {
  const run = await runCommand(['local', '--port', '0', '--state-dir', state.path], {
    environment: { MODEL_DIR: state.path },
  });
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toMatch(/^labelqueue: .*expected a model folder/);
});
