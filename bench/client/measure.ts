import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PreparedCommand } from './row.ts';

const ROOT = join(import.meta.dirname, '../..');
const PEAK_MEMORY = join(ROOT, 'testkit/report-peak-memory.mjs');
const CPU = join(import.meta.dirname, 'report-cpu.mjs');
const COMMAND = join(ROOT, 'bin/labelqueue');
/** For the Node that `bin/labelqueue` starts. */
const TELL = `--import ${pathToFileURL(PEAK_MEMORY)} --import ${pathToFileURL(CPU)}`;

/** `cpuSeconds` is what a machine with other work on it leaves comparable. */
export type Measured = { seconds: number; cpuSeconds: number; peakMb: number };

/**
 * Runs a command as its users do, by `bin/labelqueue`: as often as it asks for, and the figures are those of the
 * run with the median time.
 *
 * @throws when it fails: its figures would mean nothing
 */
export async function measure(command: PreparedCommand): Promise<Measured> {
  const { times = 1 } = command;
  // So that the cache of compiled modules is full.
  if (times > 1) await run(command);
  const runs: Measured[] = [];
  while (runs.length < times) runs.push(await run(command));
  const median = runs.toSorted((one, other) => one.seconds - other.seconds)[Math.floor(times / 2)];
  if (median === undefined) throw new RangeError(`expected at least one run, got ${times}`);
  return median;
}

async function run({ args, environment, until, visit }: PreparedCommand): Promise<Measured> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  let started = performance.now();
  const child = spawn(COMMAND, args, {
    cwd: ROOT,
    env: {
      ...{ PATH, HOME, LABELQUEUE_STATE_DIR: '/nonexistent', NODE_OPTIONS: TELL },
      ...(TMPDIR !== undefined && { TMPDIR }),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let seconds: number | undefined;
  let isServing = false;
  let failure: unknown;
  const clock = () => (performance.now() - started) / 1_000;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout = `${stdout}${text}`.slice(-10_000);
    if (isServing || until === undefined || !until.test(stdout)) return;
    isServing = true;
    if (visit !== undefined) started = performance.now();
    (visit?.(stdout) ?? Promise.resolve())
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        seconds = clock();
        child.kill('SIGINT');
      });
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = `${stderr}${text}`.slice(-10_000);
  });
  const [code] = await once(child, 'close');
  seconds ??= clock();
  if (failure !== undefined) throw failure;
  const kib = /peak memory: (\d+) KiB/.exec(stderr)?.[1];
  const isDone = until === undefined ? code === 0 : until.test(stdout);
  if (!isDone || kib === undefined) throw new Error(`labelqueue ${args.join(' ')} ended with ${code}: ${stderr}`);
  const cpuSeconds = Number(/cpu: (\d+) ms/.exec(stderr)?.[1]) / 1_000;
  return { seconds, cpuSeconds, peakMb: (Number(kib) * 1_024) / 1e6 };
}
