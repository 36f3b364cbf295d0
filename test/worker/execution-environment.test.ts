import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { sqsRecord } from '../../testkit/sqs-record.ts';
import { ExecutionEnvironment, type FunctionConfiguration } from '../../worker/execution-environment.ts';
import type { InvocationLog } from '../support/scripted-handler.ts';

const HANDLER = join(import.meta.dirname, '../support/scripted-handler.ts');

let environments: ExecutionEnvironment[] = [];
let log = '';

beforeEach(() => {
  environments = [];
  log = '';
});
afterEach(() => Promise.all(environments.map((environment) => environment.shutDown())));

function environment(configuration: Partial<FunctionConfiguration> = {}): ExecutionEnvironment {
  const created = new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds: 30,
    environment: { GREETING: 'hello' },
    onLog(text) {
      log += text;
    },
    ...configuration,
  });
  environments.push(created);
  return created;
}

function event(...bodies: string[]) {
  return { Records: bodies.map((body) => sqsRecord(body)) };
}

/** What the handler logged. The log comes by another way than the answers, so it may come later. */
async function invocations(count: number): Promise<InvocationLog[]> {
  const lines = () => log.split('\n').slice(0, -1);
  await eventually(`${count} lines in the log`, () => lines().length >= count);
  return lines().map((line) => JSON.parse(line));
}

test("returns the handler's response", async () => {
  const failing = event('fail', 'fine');
  expect(await environment().invoke(failing)).toEqual({
    batchItemFailures: [{ itemIdentifier: failing.Records[0]?.messageId }],
  });
});

test('keeps its process between invocations, and gives each its own request id', async () => {
  const warm = environment();
  await warm.initialize();
  const { pid } = warm;
  await warm.invoke(event('one'));
  await warm.invoke(event('two'));
  const logged = await invocations(2);
  expect(logged.map((invocation) => invocation.pid)).toEqual([pid, pid]);
  expect(new Set(logged.map(({ requestId }) => requestId)).size).toBe(2);
});

test("gives the handler its environment and the remaining time of the function's timeout", async () => {
  await environment({ timeoutSeconds: 30 }).invoke(event('fine'));
  const [{ greeting, remainingMs } = { greeting: '', remainingMs: 0 }] = await invocations(1);
  expect(greeting).toBe('hello');
  expect(remainingMs).toBeGreaterThan(25_000);
  expect(remainingMs).toBeLessThanOrEqual(30_000);
});

test('reports what the handler throws, and keeps its process', async () => {
  const thrower = environment();
  await expect(thrower.invoke(event('throw'))).rejects.toThrow('thrown as asked');
  const { pid } = thrower;
  await thrower.invoke(event('fine'));
  expect((await invocations(2)).map((invocation) => invocation.pid)).toEqual([pid, pid]);
});

test('returns overlapping invocations their own responses', async () => {
  const busy = environment();
  await busy.initialize();
  const events = [event('slow one', 'fail'), event('fine'), event('fail')];
  const answers = await Promise.all(events.map((given) => busy.invoke(given)));
  expect(answers).toEqual([
    { batchItemFailures: [{ itemIdentifier: events[0]?.Records[1]?.messageId }] },
    { batchItemFailures: [] },
    { batchItemFailures: [{ itemIdentifier: events[2]?.Records[0]?.messageId }] },
  ]);
});

test('rejects each invocation of a process that died', async () => {
  const mortal = environment();
  await mortal.initialize();
  const answers = await Promise.allSettled([mortal.invoke(event('hang')), mortal.invoke(event('exit'))]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('kills a process that exceeds the timeout, and starts a new one for the next invocation', async () => {
  const slow = environment({ timeoutSeconds: 0.5 });
  await slow.initialize();
  await expect(slow.invoke(event('hang'))).rejects.toMatchObject({
    name: 'FunctionError',
    message: 'Task timed out after 0.5 seconds',
  });
  await slow.invoke(event('fine'));
  const [first, second] = await invocations(2);
  expect(second?.pid).not.toBe(first?.pid);
  expect(isAlive(first?.pid)).toBe(false);
});

test('starts a new process when one was killed by its invocation', async () => {
  const mortal = environment();
  await expect(mortal.invoke(event('exit'))).rejects.toMatchObject({
    name: 'FunctionError',
    message: "the function's process ended with exit code 3",
  });
  await mortal.invoke(event('fine'));
  const [first, second] = await invocations(2);
  expect(second?.pid).not.toBe(first?.pid);
});

test('starts a new process when one was killed while it was idle', async () => {
  const idle = environment();
  await idle.initialize();
  process.kill(idle.pid ?? 0, 'SIGKILL');
  await eventually('the process is gone', () => idle.pid === undefined);
  expect(await idle.invoke(event('fine'))).toEqual({ batchItemFailures: [] });
});

test('says why a function cannot be initialized', async () => {
  const missing = environment({ handlerPath: join(import.meta.dirname, 'no-such-handler.ts') });
  await expect(missing.initialize()).rejects.toMatchObject({
    name: 'FunctionError',
    message: expect.stringContaining('no-such-handler.ts'),
  });
});

const UNREADY = join(import.meta.dirname, '../support/unready-handler.ts');

test('ends a process that could not be initialized before it starts another one', async () => {
  const unready = environment({ handlerPath: UNREADY });
  for (const starts of [1, 2]) {
    const initialized = unready.initialize();
    const { pid } = unready;
    await expect(initialized).rejects.toMatchObject({
      name: 'FunctionError',
      message: expect.stringContaining('not ready, as asked'),
    });
    expect([isAlive(pid), unready.pid, unready.starts]).toEqual([false, undefined, starts]);
  }
});

test('ends a process that is not ready in time', async () => {
  const unready = environment({ handlerPath: UNREADY, environment: { UNREADY: 'hangs' }, startTimeoutMs: 500 });
  const initialized = unready.initialize();
  const { pid } = unready;
  await expect(initialized).rejects.toMatchObject({
    name: 'FunctionError',
    message: 'expected the function to be initialized within 0.5 seconds',
  });
  expect(isAlive(pid)).toBe(false);
});

test('reports a process that the system did not start, and starts it later', async () => {
  const script = join(import.meta.dirname, '../support/without-files.ts');
  const limited = spawn('bash', ['-c', 'ulimit -n 64 && exec "$0" --no-warnings "$1"', process.execPath, script]);
  const [stdout, stderr] = await Promise.all([text(limited.stdout), text(limited.stderr)]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    refused: expect.stringMatching(/^FunctionError: the function's process could not be started: .*EMFILE/),
    isRunning: true,
  });
});

test('reports a process that the system refuses to start at once', async () => {
  const large = environment({ environment: { LARGE: 'x'.repeat(10_000_000) } });
  for (const _ of [1, 2]) {
    await expect(large.initialize()).rejects.toMatchObject({
      name: 'FunctionError',
      message: expect.stringContaining('E2BIG'),
    });
  }
});

test('leaves no process behind when it is shut down', async () => {
  const ending = environment();
  await ending.initialize();
  const { pid } = ending;
  expect(isAlive(pid)).toBe(true);
  await ending.shutDown();
  expect(isAlive(pid)).toBe(false);
});

test('leaves no process behind when its parent is killed, not even a busy one', async () => {
  const parent = spawn(process.execPath, [join(import.meta.dirname, '../support/worker-parent.ts')]);
  const [output] = await once(parent.stdout, 'data');
  const pid = Number(output);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await eventually('the process is gone', () => !isAlive(pid));
});

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) throw new Error('expected the id of a process');
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
