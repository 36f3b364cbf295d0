import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ending, SetupHarness, STEP_LINES } from './setup-harness.ts';

const BIG = 96;
const HANGING_NPM = '[ "$1" = ci ] || exit 0; sleep 60 & echo $$ $! > "$harness/pids"; wait';

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
});

afterEach(() => {
  harness.remove();
});

test('killed in the middle of unpacking, it is completed by the next run', async () => {
  harness.wheel({ megabytes: BIG });
  const child = harness.start(['-e', '']);
  const ended = ending(child);
  await until(() => unfinishedBytes() > 0);
  child.kill('SIGKILL');
  await ended;
  expect(existsSync(join(harness.toolchain, 'libtensorflow'))).toBe(false);

  const { exitCode, stderr } = await harness.run(['-e', '']);

  expect(exitCode).toBe(0);
  expect(stderr.trim().split('\n')).toEqual(STEP_LINES.slice(2));
  expect(statSync(join(harness.toolchain, 'libtensorflow/lib/libtensorflow_cc.so.2')).size).toBe(
    (BIG << 20) + 'library'.length,
  );
  expect(readdirSync(join(harness.toolchain, 'unfinished'))).toEqual([]);
});

test('killed, it ends its tools, too', async () => {
  harness.tool('npm', HANGING_NPM);
  const child = harness.start(['-e', '']);
  const ended = ending(child);
  const pids = await toolPids();

  child.kill('SIGKILL');

  await ended;
  await until(() => !pids.some(isAlive));
});

test('killed at any moment, it never uses an incomplete folder', async () => {
  harness.wheel({ megabytes: BIG / 8, fetchNode: true });
  for (let milliseconds = 50; milliseconds < 800; milliseconds += 75) {
    const child = harness.start(['-e', '']);
    const ended = ending(child);
    await Promise.race([sleep(milliseconds), ended]);
    child.kill('SIGKILL');
    await ended;
  }

  expect(await harness.run(['-p', '1'])).toMatchObject({ exitCode: 0, stdout: '1\n' });
  expect(
    readFileSync(join(harness.root, 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node'), 'utf8'),
  ).toBe('binding\n');
  expect(statSync(join(harness.toolchain, 'libtensorflow/lib/libtensorflow_cc.so.2')).size).toBe(
    (BIG << 17) + 'library'.length,
  );
});

test('five at once, after a killed one, do the work once', async () => {
  mkdirSync(harness.toolchain, { recursive: true });
  symlinkSync('process 4194303, started 1', join(harness.toolchain, 'lock'));

  const endings = await Promise.all([1, 2, 3, 4, 5].map(() => harness.run(['-p', '"run"'])));

  expect(endings.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual(
    Array(5).fill({ exitCode: 0, stdout: 'run\n' }),
  );
  expect(harness.calls()).toHaveLength(4);
});

test('names the process that it waits for', async () => {
  harness.tool('npm', HANGING_NPM);
  const first = harness.start(['-e', '']);
  const firstEnded = ending(first);
  await until(() => lstatSync(join(harness.toolchain, 'lock'), { throwIfNoEntry: false }) !== undefined);
  const second = harness.start(['-e', '']);
  const secondEnded = ending(second);
  second.stderr?.once('data', () => second.kill('SIGTERM'));

  expect((await secondEnded).stderr).toContain(
    `waiting for another set-up of this project (process ${first.pid}, started `,
  );
  first.kill('SIGTERM');
  await firstEnded;
});

test('takes over the lock of a process that has ended, even when its id is reused', async () => {
  await harness.run(['-e', '']);
  harness.wheel({ content: 'newer' });
  symlinkSync(`process ${process.pid}, started 1`, join(harness.toolchain, 'lock'));

  expect(await harness.run(['-e', ''])).toMatchObject({ exitCode: 0 });
});

test.each<[NodeJS.Signals, number]>([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])('stopped by %s, it ends its tools and their child processes', async (signal, exitCode) => {
  harness.tool('npm', HANGING_NPM);
  const child = harness.start(['-p', '"not reached"']);
  const ended = ending(child);
  const pids = await toolPids();

  child.kill(signal);

  expect(await ended).toEqual({ exitCode, stdout: '', stderr: 'set-up: stopped; the next run goes on from here\n' });
  await until(() => !pids.some(isAlive));
  expect(readdirSync(harness.toolchain).sort()).toEqual(['logs', 'unfinished']);
  expect(readdirSync(join(harness.toolchain, 'unfinished'))).toEqual([]);
});

/** Of the hanging npm and of what it has started. */
async function toolPids(): Promise<number[]> {
  const file = join(harness.folder, 'pids');
  await until(() => existsSync(file) && readFileSync(file, 'utf8') !== '');
  return readFileSync(file, 'utf8').split(' ').map(Number);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Of the library that is being unpacked. */
function unfinishedBytes(): number {
  const folder = join(harness.toolchain, 'unfinished');
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder).map((step) => join(folder, step, 'libtensorflow/lib/libtensorflow_cc.so.2'));
  return files.filter(existsSync).reduce((sum, file) => sum + statSync(file).size, 0);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
