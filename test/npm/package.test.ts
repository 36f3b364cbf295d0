import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { node22, packageTools } from '../../npm/build/tools.ts';
import { encodeEmbedding } from '../../shared/contract/embedding.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { result, writeParts } from '../../testkit/job-outcomes.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';
import { InstalledPackage, packedPackage } from './installed-package.ts';

const MAX_INSTALLED_BYTES = 40_000_000;

let folder: TemporaryFolder;
let archive: string;
let aws: TestAws;
let images: ImageServer;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  [aws, images] = [await startTestAws(), await startImageServer()];
  // May install Node 22 and the tools that make the types.
  await packageTools();
  archive = await packedPackage(folder.path);
}, 600_000);
afterAll(async () => {
  await aws.stop();
  await images[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => aws.clear());

describe.each(['22', '24'])('on Node %s', (major) => {
  let installed: InstalledPackage;

  beforeAll(async () => {
    const node = major === '22' ? await node22() : process.execPath;
    if (node === undefined) throw new Error(`expected a platform that npm has Node 22 for, not ${process.platform}`);
    const { stdout } = await promisify(execFile)(node, ['--version']);
    if (!stdout.startsWith(`v${major}.`)) throw new Error(`expected Node ${major}, got ${stdout}`);
    const place = join(folder.path, major);
    await mkdir(place);
    installed = await InstalledPackage.install(archive, place, node);
  }, 120_000);

  /** Runs a command against the embedded service, and checks how it ends. */
  async function labelqueue(args: string[], expected = 0) {
    const done = await installed.withAddons(args, aws.environment);
    if (done.code !== expected) throw new Error(`${args.join(' ')} ended with ${done.code}: ${done.stderr}`);
    return done;
  }

  /** Enqueues a photo of a cat that can be fetched, and an image that is missing. */
  async function enqueueCats(): Promise<void> {
    const list = join(installed.folder, 'cats.txt');
    await writeFile(list, `${images.url('/photos/chelsea.jpg')}\n${images.url('/missing.jpg')}\n`);
    const { stdout, addons } = await labelqueue(['enqueue', list, '--job', 'cats']);
    expect(stdout).toBe('job cats: 2 images in 1 message\n');
    expect(addons).toEqual([]);
  }

  test('it takes less than 40 MB once it is installed', async () => {
    const { stdout } = await promisify(execFile)('du', ['-s', '-B1', join(installed.folder, 'node_modules')]);
    expect(Number.parseInt(stdout, 10)).toBeLessThan(MAX_INSTALLED_BYTES);
  });

  test('npx runs the command, whose help loads no addon', async () => {
    const { code, stdout } = await installed.start('npx', ['--no-install', 'labelqueue', '--help']).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: labelqueue/);
    expect((await labelqueue(['--help'])).addons).toEqual([]);
  });

  test('hints name npx where it was what started the command', async () => {
    const { code, stderr } = await installed.start('npx', ['--no-install', 'labelqueue', 'status']).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('start `npx labelqueue local` in another terminal');
    expect((await installed.labelqueue(['status'])).stderr).toContain('start `labelqueue local` in another terminal');
  });

  test('a job is enqueued, looked at, waited for, redriven, cancelled and purged without a native addon', async () => {
    await enqueueCats();
    expect(JSON.parse((await labelqueue(['status', 'cats', '--json'])).stdout)).toMatchObject({ state: 'running' });
    await workQueueEmpty(aws, catsButMissing);
    const waited = await labelqueue(['wait', 'cats', '--json'], 3);
    expect(JSON.parse(waited.stdout)).toMatchObject({ classified: 1, failed: 1 });
    const redriven = await labelqueue(['redrive', 'cats']);
    expect(aws.queued()).toHaveLength(1);
    const cancelled = await labelqueue(['cancel', 'cats']);
    const listed = await labelqueue(['status']);
    expect(listed.stdout).toContain('cancelled');
    const purged = await labelqueue(['purge', 'cats', '--yes']);
    expect((await labelqueue(['status', 'cats'], 1)).stderr).toContain('no job cats');
    for (const { addons } of [waited, redriven, cancelled, listed, purged]) expect(addons).toEqual([]);
  }, 120_000);

  test('results and failures are exported with DuckDB, and a report with pictures', async () => {
    await enqueueCats();
    await workQueueEmpty(aws, catsButMissing);
    const results = await labelqueue(['results', 'cats', '--format', 'csv']);
    expect(results.stdout).toContain('Egyptian cat');
    expect(results.addons.map((addon) => basename(addon))).toEqual(['duckdb.node']);
    const parquet = join(installed.folder, 'cats.parquet');
    await labelqueue(['results', 'cats', '--out', parquet, '--force']);
    expect((await readFile(parquet)).subarray(0, 4).toString()).toBe('PAR1');
    const failures = await labelqueue(['failures', 'cats']);
    expect(JSON.parse(failures.stdout)).toMatchObject({ error: { code: 'not_found' } });
    const page = join(installed.folder, 'report.html');
    await labelqueue(['report', 'cats', '--out', page, '--force', '--allow-host', images.host]);
    const html = await readFile(page, 'utf8');
    expect(html).toContain('data:image/webp;base64,');
    expect(html).toContain('new Chart(');
  }, 300_000);

  test('rows that cannot be sent are written to a file, and embeddings come out as numbers', async () => {
    const table = join(installed.folder, 'cats.csv');
    await writeFile(table, 'url;price\nhttps://host.example/1.jpg;1\nnot a url;2\n');
    const { stdout } = await labelqueue(['enqueue', table, '--job', 'rows', '--skip-invalid']);
    expect(stdout).toMatch(/1 image in 1 message; 1 invalid row in /);
    const values = [0.5, -2, 65_504, 2 ** -24, 2 ** -14, 0];
    const embedding = encodeEmbedding(Float32Array.from(values));
    await writeParts(aws.target, 'results', [{ ...result('one'), embedding, trunk: '0'.repeat(16) }]);
    const file = join(installed.folder, 'embeddings.parquet');
    await labelqueue(['results', 'cats', '--out', file, '--force']);
    expect(await rowsOf(`SELECT embedding FROM '${file}'`)).toEqual([{ embedding: values }]);
  }, 120_000);

  test('the dashboard is served with all that its page loads', async () => {
    await enqueueCats();
    const environment = { ...aws.environment, ALLOWED_HOSTS: images.host };
    const command = join(installed.folder, 'node_modules/.bin/labelqueue');
    const dashboard = installed.start(command, ['dashboard', '--port', '0'], environment);
    const address = await dashboard.says(/the dashboard is at (\S+)/);
    const served = async (path: string) => (await fetch(new URL(path, address))).status;
    for (const path of ['/', '/assets/main.js', '/assets/theme.css', '/assets/vendor/preact.js']) {
      expect([path, await served(path)]).toEqual([path, 200]);
    }
    expect(await served('/assets/vendor/chart.js')).toBe(200);
    expect(await served('/api/jobs/cats')).toBe(200);
    dashboard.interrupt();
    expect(await dashboard.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('bug') });
  }, 60_000);

  test('a program enqueues a job, reads how far it is, and its lines', async () => {
    await installed.add('zod');
    await writeFile(join(installed.folder, 'program.js'), PROGRAM);
    const connection = JSON.stringify(connectionOf(aws));
    const enqueued = await installed.start('node', ['program.js', 'enqueue'], { CONNECTION: connection }).ended;
    expect(enqueued).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(enqueued.stdout)).toEqual({
      job: 'cats',
      run: expect.stringMatching(/./),
      ...{ images: 3, messages: 1, duplicates: 1, invalid: 0 },
    });
    await workQueueEmpty(aws, catsButMissing);
    const read = await installed.start('node', ['program.js', 'read'], { CONNECTION: connection }).ended;
    expect(read).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(read.stdout)).toEqual({
      state: 'completed with failures',
      labels: { cat: 'Egyptian cat', 'https://host.example/2.jpg': 'Egyptian cat' },
      failed: { missing: 'not_found' },
      unknown: ['LabelqueueError', 'no_such_job'],
      again: 'job_exists',
      unset: 'invalid_settings',
      schema: true,
    });
  }, 60_000);
});

function connectionOf({ environment }: TestAws): object {
  return {
    queueUrl: environment['QUEUE_URL'],
    deadLetterQueueUrl: environment['DEAD_LETTER_QUEUE_URL'],
    resultsBucket: environment['RESULTS_BUCKET'],
    endpoint: environment['AWS_ENDPOINT_URL'],
    region: 'us-east-1',
    credentials: {
      accessKeyId: environment['AWS_ACCESS_KEY_ID'],
      secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'],
    },
  };
}

async function rowsOf(sql: string): Promise<unknown[]> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowObjectsJson();
}

/** What a user writes: it has nothing in its environment that names a queue. */
const PROGRAM = `
import { enqueue, failures, results, status } from 'labelqueue';
import { resultLineSchema } from 'labelqueue/contract';
import schema from 'labelqueue/schemas/result-line.json' with { type: 'json' };

const connection = JSON.parse(process.env.CONNECTION);
const images = [
  { id: 'cat', url: 'https://host.example/1.jpg', meta: { price: 1 } },
  'https://host.example/2.jpg',
  'https://host.example/2.jpg',
  { id: 'missing', url: 'https://host.example/3.jpg' },
];
const codeOf = (call) => call.then(() => undefined, (error) => error.code);
if (process.argv[2] === 'enqueue') console.log(JSON.stringify(await enqueue(connection, images, { job: 'cats' })));
else {
  const labels = {};
  for await (const line of results(connection, 'cats')) labels[resultLineSchema.parse(line).id] = line.labels[0].label;
  const failed = {};
  for await (const { id, error } of failures(connection, 'cats')) failed[id] = error.code;
  const { state } = await status(connection, 'cats');
  const unknown = await status(connection, 'dogs').catch(({ name, code }) => [name, code]);
  const again = await codeOf(enqueue(connection, images, { job: 'cats' }));
  const unset = await codeOf(status({ ...connection, queueUrl: '' }, 'cats'));
  console.log(JSON.stringify({ state, labels, failed, unknown, again, unset, schema: 'labels' in schema.properties }));
}
`;

test('the construct of the package compiles and synthesizes in an app of the user', async () => {
  const place = join(folder.path, 'app');
  await mkdir(join(place, 'code'), { recursive: true });
  const user = await InstalledPackage.install(archive, place, process.execPath);
  const sample = JSON.parse(await readFile(join(import.meta.dirname, '../../samples/cdk-app/package.json'), 'utf8'));
  for (const name of Object.keys(sample.dependencies)) if (name !== 'labelqueue') await user.add(name);
  await writeFile(join(place, 'code/index.mjs'), '');
  await writeFile(join(place, 'app.ts'), APP);
  const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
  const options = [
    '--strict',
    '--noEmit',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    '',
  ];
  const compiled = await user.start('node', [tsc, ...options, 'app.ts']).ended;
  expect(compiled).toMatchObject({ code: 0, stdout: '' });
  const { stdout, stderr } = await user.start('node', ['app.ts']).ended;
  expect({ stdout: JSON.parse(stdout || 'null'), stderr }).toEqual({
    stdout: expect.objectContaining({ 'AWS::SQS::Queue': expect.anything(), 'AWS::S3::Bucket': 1 }),
    stderr: '',
  });
}, 180_000);

const APP = `
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { LabelQueue, LambdaCode } from 'labelqueue/cdk';

declare const console: { log(text: string): void };

const stack = new Stack(new App(), 'Photos');
new LabelQueue(stack, 'Images', { code: LambdaCode.fromPath('code') });
const counts: Record<string, number> = {};
for (const child of stack.node.findAll()) {
  if (CfnResource.isCfnResource(child)) counts[child.cfnResourceType] = (counts[child.cfnResourceType] ?? 0) + 1;
}
console.log(JSON.stringify(counts));
`;

test('publint and Are The Types Wrong find nothing', async () => {
  const script = join(import.meta.dirname, 'check-package.mjs');
  const args = [script, await packageTools(), archive, join(folder.path, 'built')];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { publint, types } = JSON.parse(stdout) as { publint: object[]; types: { resolutionKind?: string }[] };
  expect(publint).toEqual([]);
  // What the profile `esm-only` of the latter leaves out: an ES module has no other form for `require`, nor for Node 10.
  const left = types.filter(({ resolutionKind = '' }) => !['node10', 'node16-cjs'].includes(resolutionKind));
  expect(left).toEqual([]);
}, 120_000);

test("a user's TypeScript compiles against the types of the entries, without types of Node or of AWS", async () => {
  const place = join(folder.path, 'user');
  await mkdir(place);
  const user = await InstalledPackage.install(archive, place, process.execPath);
  await user.add('zod');
  await writeFile(join(place, 'user.ts'), USER);
  const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--module', 'nodenext'];
  const { code, stdout } = await user.start('node', [tsc, ...options, '--types', '', 'user.ts']).ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
}, 120_000);

/** With a mistake that the types must find. */
const USER = `
import { type Connection, type EnqueuedJob, enqueue, failures, LabelqueueError, results, status } from 'labelqueue';
import { type FailureLine, messageSchema, type ResultLine, resultLineSchema } from 'labelqueue/contract';

export async function use(connection: Connection): Promise<ResultLine[]> {
  // @ts-expect-error a job needs a name
  await enqueue(connection, ['https://host.example/1.jpg'], {});
  const job: EnqueuedJob = await enqueue(connection, [{ url: 's3://bucket/1.jpg', meta: { price: 1 } }], { job: 'cats' });
  const lines: ResultLine[] = [];
  for await (const line of results(connection, job.job)) lines.push(resultLineSchema.parse(line));
  const failed: FailureLine[] = [];
  for await (const line of failures(connection, 'cats')) failed.push(line);
  const score: number | undefined = lines[0]?.labels[0]?.score;
  const code: string | undefined = failed[0]?.error.code;
  const state: 'completed' | undefined = (await status(connection, 'cats')).state === 'completed' ? 'completed' : undefined;
  const first: string | undefined = messageSchema.parse(JSON.parse('{}')).images[0]?.url;
  if (!lines.length) throw new LabelqueueError('failed', String([score, code, state, first]));
  return lines;
}
`;

test('without a registry, a command that needs a part reports that in plain words', async () => {
  const place = join(folder.path, 'offline');
  await mkdir(place);
  const offline = await InstalledPackage.install(archive, place, process.execPath);
  const { code, stdout, stderr } = await offline.labelqueue(['results', 'cats'], {
    ...aws.environment,
    XDG_CACHE_HOME: join(place, 'cache'),
    npm_config_registry: 'http://127.0.0.1:9/',
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^downloading DuckDB [\d.r-]+ \(for reading and writing tables\) to /);
  expect(stderr).toMatch(/npm could not download DuckDB .*\n(.*\n)*.*ECONNREFUSED/);
  expect(stderr).toContain('Check the connection to the npm registry');
  expect(stderr).not.toMatch(/ at .*js:\d/);
  // What was begun does not count, and is gone.
  expect(await readdir(join(place, 'cache/labelqueue'))).toEqual(['compile-cache']);
}, 120_000);

test('its entries export what their reports say: `npm run api-report` after a change that is meant', async () => {
  const reports = join(import.meta.dirname, '../../npm/api');
  const made = join(folder.path, 'api');
  const { makeDeclarations } = await import('../../npm/build/declarations.ts');
  const root = join(import.meta.dirname, '../..');
  await makeDeclarations({ root, work: join(folder.path, 'work'), types: join(folder.path, 'types'), reports: made });
  const names = await readdir(made);
  expect(names.sort()).toEqual((await readdir(reports)).sort());
  for (const name of names)
    expect(await readFile(join(made, name), 'utf8')).toBe(await readFile(join(reports, name), 'utf8'));
}, 120_000);
