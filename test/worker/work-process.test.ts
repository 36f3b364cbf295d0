/** `labelqueue work` with real processes, the real handler and a tiny model, against the embedded AWS. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from '@jest/globals';
import { jobStatus } from '../../shared/jobs/job-status.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { eventually } from '../../testkit/eventually.ts';
import { childrenOf, isRunning } from '../../testkit/process-tree.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { type RunningCommand, startCommand } from '../support/command.ts';
import { startMetadataServer } from '../support/instance/metadata-server.ts';
import { startPictureServer } from '../support/picture-server.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { tinyModelFolder } from '../support/tiny-model-folder.ts';

const VISIBILITY_SECONDS = 6;
/** Starting processes that load TensorFlow, on a busy machine. */
const START_MS = 60_000;

const [aws, pictures, model] = await sharedByTests(
  startTestAws({ visibilityTimeoutSeconds: VISIBILITY_SECONDS }),
  startPictureServer(),
  tinyModelFolder(),
);
let running: RunningCommand[] = [];

afterEach(async () => {
  for (const command of running) command.signal('SIGCONT');
  for (const command of running) command.signal('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  running = [];
  pictures.delayMs = 0;
  aws.clear();
});

/** Starts it with one process unless told otherwise, and waits until that is ready. */
async function work(...args: string[]): Promise<RunningCommand> {
  return workWith({}, ...args);
}

async function workWith(environment: Record<string, string>, ...args: string[]): Promise<RunningCommand> {
  const command = startCommand(['work', '--processes', '1', ...args], {
    environment: { ...aws.environment, MODEL_DIR: model.path, ALLOWED_HOSTS: pictures.host, ...environment },
  });
  running.push(command);
  await eventually('a process is ready', () => events(command).includes('worker started'), START_MS);
  return command;
}

/** What it has logged: the messages of its lines. */
function events(command: RunningCommand): string[] {
  return logged(command).map(({ message }) => String(message));
}

function logged(command: RunningCommand): Record<string, unknown>[] {
  return command
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

function lastEvent(command: RunningCommand, message: string): Record<string, unknown> {
  return logged(command).findLast((line) => line['message'] === message) ?? {};
}

async function send(...ids: string[]): Promise<void> {
  const bodies = ids.map((id) =>
    JSON.stringify({ v: 1, job: 'job', attempt: 1, images: [{ id, url: pictures.url(`/${id}`) }] }),
  );
  await aws.send(...bodies);
}

async function classified(): Promise<string[]> {
  return [...(await readOutcomes(aws.target, 'job')).results.keys()].toSorted();
}

function pidOf(command: RunningCommand): number {
  const pid = command.pid();
  if (pid === undefined) throw new Error('expected a process');
  return pid;
}

test('classifies a folder that was uploaded for its job, although no source bucket is named', async () => {
  await work();
  const { s3, resultsBucket } = aws.target;
  const Body = readFileSync(join(import.meta.dirname, '../../samples/photos/coffee.jpg'));
  await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key: 'jobs/job/images/coffee.jpg', Body }));
  const url = `s3://${resultsBucket}/jobs/job/images/coffee.jpg`;
  await aws.send(JSON.stringify({ v: 1, job: 'job', attempt: 1, images: [{ id: 'coffee', url }] }));
  const settled = async () => [...(await aws.results('job')), ...(await aws.failures('job'))];
  await eventually('its outcome', async () => (await settled()).length > 0, START_MS);
  expect(await settled()).toEqual([expect.objectContaining({ id: 'coffee', labels: expect.anything() })]);
}, 120_000);

test.each([
  ['nothing on a machine of its own', {}, { host: 'own' }],
  ['the price of the instance that is named', { WORK_MACHINE: 'c7a.2xlarge' }, { host: 'ec2', instanceFamily: 'c7a' }],
] as const)(
  'its time costs %s',
  async (_name, environment, machine) => {
    await workWith(environment);
    await send('a');
    await eventually('its outcome', async () => (await classified()).length === 1, START_MS);
    const status = await jobStatus(aws.target, 'job', new Date());
    expect(status?.computing.workers).toEqual([expect.objectContaining({ ...machine, memoryMb: 0 })]);
    expect(status?.computing.workers[0]?.seconds).toBeGreaterThan(0);
  },
  120_000,
);

test('empties the queue, logs JSON lines, serves its health, and ends by itself', async () => {
  await send('a', 'b', 'c');
  const command = await work('--processes', '2', '--port', '0', '--exit-when-empty', '3');
  const { address } = lastEvent(command, 'work started');
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${address}${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  expect(await ask('/healthz')).toEqual({ status: 200, text: 'ok\n' });
  expect(await ask('/healthz', { method: 'POST' })).toMatchObject({ status: 405 });
  expect(await ask('/')).toMatchObject({ status: 404 });
  await eventually('all are classified', async () => (await classified()).length === 3);
  expect(await ask('/readyz')).toEqual({ status: 200, text: 'ready\n' });
  const { text } = await ask('/metrics');
  expect(text).toMatch(/^labelqueue_work_process_resident_bytes\{process="1"\} \d+$/m);
  expect(text).toMatch(/^labelqueue_work_messages_total\{event="received"\} 3$/m);
  expect(text).toMatch(/^labelqueue_images_total\{outcome="classified"\} \d+$/m);
  expect(text).toMatch(/^labelqueue_queue_messages\{state="waiting"\} 0$/m);

  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  expect(aws.queued()).toEqual([]);
  expect(lastEvent(command, 'work ended')).toMatchObject({
    reason: 'the queue is empty',
    classified: 3,
    acknowledged: 3,
  });
}, 120_000);

test('on Ctrl-C in a terminal, which signals all processes, finishes messages in flight', async () => {
  const command = await work();
  pictures.delayMs = 1_500;
  await send('a', 'b');
  await eventually('an image is fetched', () => pictures.requests > 0);
  // To the process group, as a terminal does; the processes must not obey.
  command.interrupt();
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await classified()).toEqual(['a', 'b']);
  expect(aws.queued()).toEqual([]);
}, 120_000);

test('finishes messages in flight although its processes are signalled as well, as systemd does', async () => {
  const command = await work();
  pictures.delayMs = 1_500;
  pictures.requests = 0;
  await send('a');
  await eventually('an image is fetched', () => pictures.requests > 0);
  for (const pid of [...childrenOf(pidOf(command)), pidOf(command)]) process.kill(pid, 'SIGTERM');
  expect(await command.ended).toMatchObject({ code: 0 });
  expect(await classified()).toEqual(['a']);
  expect(lastEvent(command, 'work ended')).toMatchObject({ reason: 'SIGTERM', failures: 0, restarts: 0 });
}, 120_000);

test('does not count a signal to all processes as a crash caused by an image', async () => {
  await send('a');
  // Once delivered to nobody: the next worker takes it in a process of its own.
  const peek = { QueueUrl: aws.target.queueUrl, VisibilityTimeout: 0 };
  await eventually('it was delivered', async () => {
    return ((await aws.target.sqs.send(new ReceiveMessageCommand(peek))).Messages ?? []).length === 1;
  });
  pictures.delayMs = 2_000;
  pictures.requests = 0;
  const command = await work();
  await eventually('the image is fetched', () => pictures.requests > 0, START_MS);
  const children = childrenOf(pidOf(command));
  const all = [...children.flatMap(childrenOf), ...children, pidOf(command)];
  expect(all).toHaveLength(3);
  for (const pid of all) process.kill(pid, 'SIGTERM');
  expect(await command.ended).toMatchObject({ code: 0 });
  expect(await classified()).toEqual(['a']);
}, 120_000);

test('returns unfinished messages to the queue after the time to drain, and a second signal ends it at once', async () => {
  const first = await work('--drain-seconds', '1');
  pictures.delayMs = 8_000;
  pictures.requests = 0;
  await send('a');
  await eventually('an image is fetched', () => pictures.requests > 0);
  first.signal('SIGTERM');
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(lastEvent(first, 'work ended')).toMatchObject({ acknowledged: 0, givenBack: 1 });

  const second = await work('--drain-seconds', '60');
  await eventually('the image is fetched again', () => pictures.requests > 1, START_MS);
  const children = childrenOf(pidOf(second));
  second.signal('SIGTERM');
  await eventually('it drains', () => events(second).includes('work ends'));
  await new Promise((resolve) => setTimeout(resolve, 500));
  second.signal('SIGTERM');
  await second.ended;
  expect(second.endedBy()).toBe('SIGTERM');
  await eventually('its processes are gone', () => children.every((pid) => !isRunning(pid)));
  expect(await classified()).toEqual([]);
  expect(aws.queued()).toHaveLength(1);
}, 180_000);

test('drains when EC2 announces an interruption of the instance', async () => {
  await using metadata = await startMetadataServer();
  const endpoint = { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint };
  const command = await workWith(endpoint, '--spot');
  pictures.delayMs = 1_000;
  pictures.requests = 0;
  await send('a');
  await eventually('an image is fetched', () => pictures.requests > 0);
  metadata.documents.set(
    'spot/instance-action',
    JSON.stringify({ action: 'terminate', time: new Date(Date.now() + 120_000).toISOString() }),
  );
  expect(await command.ended).toMatchObject({ code: 0 });
  expect(lastEvent(command, 'work ends')).toMatchObject({ reason: 'Spot interruption' });
  expect(await classified()).toEqual(['a']);
  expect(aws.queued()).toEqual([]);
}, 120_000);

test('leaves no process behind when it is killed', async () => {
  const command = await work();
  const children = childrenOf(pidOf(command));
  expect(children).toHaveLength(1);
  command.signal('SIGKILL');
  await eventually('its processes are gone', () => children.every((pid) => !isRunning(pid)));
}, 120_000);

test('keeps a message while its process is stopped for longer than the visibility timeout', async () => {
  const command = await work();
  const [child = 0] = childrenOf(pidOf(command));
  pictures.delayMs = 1_000;
  pictures.requests = 0;
  await send('a');
  await eventually('an image is fetched', () => pictures.requests > 0);
  process.kill(child, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2 * VISIBILITY_SECONDS * 1_000));
  expect(aws.queued()).toMatchObject([{ receiveCount: 1 }]);
  process.kill(child, 'SIGCONT');
  await eventually('nothing is left', () => aws.queued().length === 0);
}, 120_000);

test('does not touch messages that others received while it was stopped for longer than the visibility timeout', async () => {
  const stopped = await work();
  pictures.delayMs = 1_000;
  pictures.requests = 0;
  await send('a');
  await eventually('an image is fetched', () => pictures.requests > 0);
  // All of it, as when a machine sleeps.
  const pids = [...childrenOf(pidOf(stopped)), pidOf(stopped)];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const other = await work();
  await eventually('the other one has it', () => (aws.queued()[0]?.receiveCount ?? 2) > 1, START_MS);
  await eventually('nothing is left', () => aws.queued().length === 0, START_MS);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  for (const command of [stopped, other]) command.signal('SIGTERM');
  expect(await stopped.ended).toMatchObject({ code: 0 });
  expect(await other.ended).toMatchObject({ code: 0 });
  expect(lastEvent(stopped, 'work ended')).toMatchObject({ acknowledged: 0, lost: 1 });
  expect(lastEvent(other, 'work ended')).toMatchObject({ received: 1, left: 0 });
  expect(await classified()).toEqual(['a']);
}, 180_000);
