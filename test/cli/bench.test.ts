import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Findings } from '../../cli/bench/findings.ts';
import { invocationsOf } from '../../cli/bench/invocations.ts';
import { costSoFar, onLambda } from '../../shared/cost.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';

const USD_PER_SECOND = (1_769 / 1_024) * 0.000_016_666_7;

let state: TemporaryFolder;
let images: ImageServer;
let local: RunningCommand;
/** The variables that `local` prints, and where its state is. */
let environment: Record<string, string>;
let target: JobTarget;

beforeAll(async () => {
  state = await createTemporaryFolder();
  images = await startImageServer();
  const options = ['--port', '0', '--api-port', '0', '--workers', '1', '--allow-host', images.host];
  local = startCommand(['local', ...options, '--state-dir', state.path]);
  await local.says(/^export RESULTS_BUCKET=.*\n/m);
  const exported = [...local.stdout().matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]);
  environment = { ...Object.fromEntries(exported), LABELQUEUE_STATE_DIR: state.path };
  target = createJobTarget(jobSettingsFrom(environment), clientConfig());
}, 120_000);
afterAll(async () => {
  local.interrupt();
  await local.ended;
  await images[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

function clientConfig() {
  return {
    endpoint: environment['AWS_ENDPOINT_URL'] ?? '',
    region: environment['AWS_REGION'] ?? '',
    credentials: {
      accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
}

/** What is in the bucket but the marks of runs that ended. */
async function filesLeft(): Promise<string[]> {
  const { Contents = [] } = await target.s3.send(new ListObjectsV2Command({ Bucket: target.resultsBucket }));
  return Contents.map(({ Key = '' }) => Key).filter((key) => !key.startsWith('cancelled/'));
}

async function deadLettersOf(job: string): Promise<number> {
  let letters = 0;
  await scanDeadLetters(target, async ({ body }) => {
    letters += Number(body.includes(job));
    return false;
  });
  return letters;
}

async function bench(...args: string[]): Promise<Findings> {
  const run = await runCommand(['bench', '--json', ...args], { environment });
  expect({ code: run.code, stderr: run.stderr }).toEqual({
    code: 0,
    stderr: expect.not.stringContaining('labelqueue:'),
  });
  return JSON.parse(run.stdout);
}

test('measures the workers with its own photos, and leaves nothing behind', async () => {
  const found = await bench('--images', '120');
  expect(found).toMatchObject({ classified: 120, failed: 0, usdFrom: 'measured' });
  expect(found.models).toEqual([{ name: 'efficientnet-lite0', version: expect.any(String), images: 120 }]);
  expect(found.processors).toEqual([{ processor: expect.stringMatching(/\S/), images: 120 }]);
  expect(found.machines).toEqual([
    { host: 'lambda', architecture: 'x86_64', memoryMb: 1_769, seconds: expect.any(Number) },
  ]);
  expect(found.coldStarts?.count).toBe(1);
  for (const ms of Object.values(found.stageMs ?? { none: 0 })) expect(ms).toBeGreaterThan(0);
  const [{ seconds = 0 } = {}] = found.machines;
  const usd = costSoFar(120, 100, onLambda(seconds * USD_PER_SECOND)).totalUsd;
  expect(found.usdPerMillion).toBeCloseTo((usd / 120) * 1e6, 6);
  expect(await filesLeft()).toEqual([]);
}, 120_000);

describe('with a list of URLs', () => {
  let list: string;
  beforeEach(async () => {
    list = await state.write('urls.txt', [images.url('/photos/coffee.jpg'), images.url('/status/404')].join('\n'));
  });

  test('takes them in turn, reports failures, and removes only its own dead letters', async () => {
    await sendMessages(target.sqs, target.deadLetterQueueUrl, [{ body: 'somebody else' }]);
    const found = await bench('--images', '100', '--urls', list);
    expect(found).toMatchObject({ classified: 50, failed: 50, failedByCode: { not_found: 50 } });
    const left: string[] = [];
    await scanDeadLetters(target, async ({ body }) => left.push(body) > 0);
    expect(left).toEqual(['somebody else']);
    expect(await filesLeft()).toEqual([]);
  }, 120_000);

  test('refuses an invalid row, with its line, before anything is created', async () => {
    const wrong = await state.write('wrong.txt', 'https://host/a.jpg\nno url\n');
    const { code, stderr } = await runCommand(['bench', '--urls', wrong], { environment });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/wrong\.txt, line 2: expected a http/) });
    expect(await filesLeft()).toEqual([]);
  });
});

test.each([
  [['--images', '5'], 2, /Expected a whole number from 100 to 100000/],
  [['--images', 'many'], 2, /Expected a whole number/],
  [['--urls', '/nonexistent/urls.txt'], 1, /no such file/],
  [['photos'], 2, /too many arguments/],
])('%j is a plain error', async (args, code, message) => {
  const run = await runCommand(['bench', ...args], { environment });
  expect(run).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  expect(run.stderr).not.toMatch(/\n\s+at /);
});

test('Ctrl-C removes the job, its messages cause no work, and the shell sees the signal', async () => {
  const running = startCommand(['bench', '--images', '20000'], { environment });
  while (!/^job bench-/m.test(running.stderr())) await new Promise((resolve) => setTimeout(resolve, 20));
  running.interrupt();
  await running.ended;
  expect(running.endedBy()).toBe('SIGINT');
  expect(running.stderr()).toMatch(/removing the job bench-\S+… Press Ctrl-C again to exit at once/);
  const [, job = 'none'] = /removing the job (bench-[\w-]+)/.exec(running.stderr()) ?? [];
  const left = (await filesLeft()).filter((key) => key.includes(job));
  // A worker that is slow may still write the two messages that it had in hand, but no image of them failed: the photos went last.
  expect(left.filter((key) => !key.startsWith(`results/job=${job}/`))).toEqual([]);
  expect(left.length).toBeLessThanOrEqual(2);
  expect(await deadLettersOf(job)).toBe(0);
}, 120_000);

/** CloudWatch's part of it: answers FilterLogEvents as it does, with what the worker logged and REPORT lines of Lambda. */
async function startCloudWatch(answer: (log: string) => { status: number; body: object }): Promise<Server> {
  const server = createServer(async (request, response) => {
    request.resume();
    const log = await readFile(join(state.path, 'local/workers.log'), 'utf8');
    const { status, body } = answer(log);
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function benchWith(server: Server, ...args: string[]) {
  const cloudWatch = {
    LABELQUEUE_LOG_GROUP: 'workers',
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_MAX_ATTEMPTS: '1',
  };
  try {
    return await runCommand(['bench', '--images', '100', ...args], { environment: { ...environment, ...cloudWatch } });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('where CloudWatch has the log', () => {
  const BILLED_MS = 7_300;

  function events(log: string): { message: string }[] {
    return log
      .split('\n')
      .filter((line) => line.includes('"message":"invocation"'))
      .flatMap((line) => {
        const { function_request_id: id } = JSON.parse(line);
        const report = `REPORT RequestId: ${id}\tDuration: 7299.31 ms\tBilled Duration: ${BILLED_MS} ms\tMemory Size: 1769 MB\n`;
        return [{ message: `${line}\n` }, { message: report }];
      });
  }

  test('the cost is computed from what AWS bills', async () => {
    let all: { message: string }[] = [];
    const server = await startCloudWatch((log) => {
      all = events(log);
      return { status: 200, body: { events: all } };
    });
    const { stdout } = await benchWith(server, '--json');
    const found: Findings = JSON.parse(stdout);
    const own = invocationsOf(
      all.map(({ message }) => message.trimEnd()),
      found.job,
    );
    expect(own.length).toBeGreaterThan(0);
    expect(found).toMatchObject({ usdFrom: 'billed', billedMsPerImage: (own.length * BILLED_MS) / 100 });
    const usd = costSoFar(100, 100, onLambda(own.length * (BILLED_MS / 1_000) * USD_PER_SECOND)).totalUsd;
    expect(found.usdPerMillion).toBeCloseTo((usd / 100) * 1e6, 6);
  }, 120_000);

  test('and access is denied, the measured time is used instead, with the reason', async () => {
    const body = { __type: 'AccessDeniedException', message: 'not authorized to perform logs:FilterLogEvents' };
    const { code, stdout, stderr } = await benchWith(await startCloudWatch(() => ({ status: 400, body })));
    expect(code).toBe(0);
    expect(stderr).toMatch(/CloudWatch could not be read, so stages and billed times are left out: .*FilterLogEvents/);
    expect(stdout).toMatch(
      /cost {9}\$[\d.]+ per million images at list prices, from the time measured by the workers\n/,
    );
    expect(stdout).toMatch(/by stage {5}unknown/);
  }, 120_000);
});

test('invocations that also worked on another job, or on none, do not count for the job', () => {
  const line = (jobs: string[], id: string) =>
    JSON.stringify({
      message: 'invocation',
      function_request_id: id,
      jobs,
      classified: 1,
      failed: 0,
      ms: 5,
      processor: 'one',
      stageMs: { fetch: 1, decode: 1, inference: 1 },
    });
  const lines = [
    line(['mine'], 'a'),
    line(['mine', 'other'], 'b'),
    line([], 'c'),
    '{"message":"invocation","jobs":["mine"]}',
    'no JSON about an "invocation" {',
    'REPORT RequestId: a\tDuration: 1.2 ms\tBilled Duration: 2 ms\tMemory Size: 1769 MB',
  ];
  expect(invocationsOf(lines, 'mine').map(({ function_request_id: id, billedMs }) => [id, billedMs])).toEqual([
    ['a', 2],
  ]);
});
