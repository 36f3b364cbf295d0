import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ending, SetupHarness, STEP_LINES } from './setup-harness.ts';

const BIG = 96;
/** Says where it works, and waits for the end of the test. */
const HANGING_NPM = '[ "$1" = ci ] || exit 0; pwd > "$harness/working"; sleep 60';

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
});

afterEach(() => {
  harness.remove();
});

test.each<[NodeJS.Signals, string]>([
  ['SIGKILL', `${STEP_LINES[0]}\n`],
  ['SIGINT', `${STEP_LINES[0]}\nsetup: interrupted; finished steps are kept, start again to continue\n`],
])('stopped by %s in the middle of unpacking, the next run goes on', async (signal, printed) => {
  harness.wheel({ megabytes: BIG });
  const child = harness.start(['-e', '']);
  const ended = ending(child);
  await until(() => unfinishedBytes() > 0);
  killGroup(child, signal);
  expect((await ended).stderr).toBe(printed);
  expect(existsSync(join(harness.toolchain, 'libtensorflow'))).toBe(false);

  const { exitCode, stderr } = await harness.run(['-e', '']);

  expect(exitCode).toBe(0);
  expect(stderr.trim().split('\n')).toEqual(STEP_LINES.slice(1));
  expect(statSync(join(harness.toolchain, 'libtensorflow/lib/libtensorflow_cc.so.2')).size).toBe(
    (BIG << 20) + 'library'.length,
  );
  expect(existsSync(join(harness.toolchain, 'unfinished'))).toBe(false);
});

test('killed at any moment, it never takes a half-made folder for a whole one', async () => {
  harness.wheel({ megabytes: BIG / 8 });
  for (let milliseconds = 50; milliseconds < 800; milliseconds += 75) {
    const child = harness.start(['-e', '']);
    const ended = ending(child);
    await Promise.race([sleep(milliseconds), ended]);
    killGroup(child, 'SIGKILL');
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

test('five at once do the work once', async () => {
  const endings = await Promise.all([1, 2, 3, 4, 5].map(() => harness.run(['-p', '"run"'])));

  expect(endings.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual(
    Array(5).fill({ exitCode: 0, stdout: 'run\n' }),
  );
  expect(harness.calls()).toHaveLength(4);
});

test('says that it waits for another setup, and goes on when that is killed', async () => {
  const quickNpm = readFileSync(join(harness.folder, 'tools/npm'), 'utf8');
  harness.tool('npm', HANGING_NPM);
  const first = harness.start(['-e', '']);
  const firstEnded = ending(first);
  await until(() => existsSync(join(harness.folder, 'working')));
  harness.write('tools/npm', quickNpm);
  const second = harness.start(['-p', '"second"']);
  const secondEnded = ending(second);
  second.stderr?.once('data', () => killGroup(first, 'SIGKILL'));
  await firstEnded;

  const { exitCode, stdout, stderr } = await secondEnded;

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'second\n' });
  expect(stderr).toMatch(/^setup: waiting for another setup of this folder\nsetup: npm packages /);
});

/** As Ctrl-C on a terminal does, the tools included. */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Of the library that is being unpacked. */
function unfinishedBytes(): number {
  const folder = join(harness.toolchain, 'unfinished');
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder).map((step) => join(folder, step, 'made/lib/libtensorflow_cc.so.2'));
  return files.filter(existsSync).reduce((sum, file) => sum + statSync(file).size, 0);
}
