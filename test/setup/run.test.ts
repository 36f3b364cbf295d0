import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { COMPILER, ending, PACKAGES, SetupHarness, STEP_LINES } from './setup-harness.ts';

const otherPackage = { ...PACKAGES, 'node-api-headers': { integrity: 'sha512-B', dev: true } };
const otherTfjsNode = { ...PACKAGES, '@tensorflow/tfjs-node': { integrity: 'sha512-D' } };

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
});

afterEach(() => {
  harness.remove();
});

test('installs everything from scratch, then runs its own Node with the arguments', async () => {
  harness.wheel({ fetchNode: true });

  const { exitCode, stdout, stderr } = await harness.run(['-p', 'process.argv[1]', 'argument']);

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'argument\n' });
  expect(stderr.trim().split('\n')).toEqual(STEP_LINES);
  expect(harness.calls()).toEqual([
    'npm ci --ignore-scripts --include=dev',
    'npm ci --ignore-scripts --include=dev',
    'python3 -m pip download',
    expect.stringMatching(/^python3 .*unpack_wheel.py/),
    expect.stringMatching(/^g\+\+ -std=c\+\+17/),
  ]);
});

test('installs the library and the binding where tfjs-node expects them', async () => {
  await harness.run(['-e', '']);

  const tfjsNode = join(harness.root, 'node_modules/@tensorflow/tfjs-node');
  expect(readFileSync(join(tfjsNode, 'deps/lib/libtensorflow_cc.so.2'), 'utf8')).toBe('library');
  expect(readFileSync(join(tfjsNode, 'deps/include/tensorflow/c/c_api.h'), 'utf8')).toBe('header');
  expect(realpathSync(join(tfjsNode, 'lib/napi-v8/tfjs_binding.node'))).toBe(
    realpathSync(join(harness.toolchain, 'tfjs-binding/tfjs_binding.node')),
  );
});

test('keeps the licences of TensorFlow', async () => {
  await harness.run(['-e', '']);

  const libtensorflow = join(harness.toolchain, 'libtensorflow');
  expect(readFileSync(join(libtensorflow, 'LICENSE'), 'utf8')).toBe('licence');
  expect(readFileSync(join(libtensorflow, 'THIRD_PARTY_NOTICES.txt'), 'utf8')).toBe('notices');
});

test('is silent and starts no tool when everything is there', async () => {
  await harness.run(['-e', '']);
  harness.forgetCalls();

  expect(await harness.run(['-p', '1'])).toEqual({ exitCode: 0, stdout: '1\n', stderr: '' });
  expect(harness.calls()).toEqual([]);
});

test('leaves nothing behind but the finished folders, the logs and an empty workshop', async () => {
  await harness.run(['-e', '']);

  expect(existsSync(join(harness.toolchain, 'lock'))).toBe(false);
  expect(readdirSync(join(harness.toolchain, 'unfinished'))).toEqual([]);
});

test.each<[string, (changed: SetupHarness) => void, string[]]>([
  [
    'node_modules is gone',
    (changed) => rmSync(join(changed.root, 'node_modules'), { recursive: true }),
    ['npm packages'],
  ],
  ['a package of package-lock.json changed', (changed) => changed.lock(otherPackage), ['npm packages']],
  ['tfjs-node changed', (changed) => changed.lock(otherTfjsNode), ['npm packages', 'TensorFlow binding']],
  [
    'the pinned wheel changed',
    (changed) => changed.wheel({ content: 'newer' }),
    ['libtensorflow 2.18.1', 'TensorFlow binding'],
  ],
  [
    'the binding is gone',
    (changed) => rmSync(join(changed.toolchain, 'tfjs-binding'), { recursive: true }),
    ['TensorFlow binding'],
  ],
])('rebuilds only what depends on it when %s', async (_what, change, titles) => {
  await harness.run(['-e', '']);
  change(harness);

  const { stderr } = await harness.run(['-e', '']);

  expect(stderr).toBe(titles.map((title) => `set-up: ${title} (…)\n`).join(''));
});

test('bin/labelqueue starts a complete set-up without the Node on PATH, until one of its files is written', async () => {
  harness.wheel({ fetchNode: true });
  harness.write('project/cli/main.ts', 'console.log(...process.argv.slice(2), ...process.execArgv)');
  const PATH = `${join(harness.folder, 'tools')}:/usr/bin:/bin`;
  await harness.run(['-e', ''], { env: { PATH } });
  const { stdout } = await harness.run(['x'], { entry: 'bin/labelqueue', env: { PATH } });
  harness.tool('node', 'echo the Node on PATH');
  const fromShell = (settings: Record<string, string> = {}) =>
    execFileSync(join(harness.root, 'bin/labelqueue'), ['x'], { encoding: 'utf8', env: { PATH, ...settings } });

  expect(fromShell()).toBe(stdout);
  expect(fromShell({ TZ: 'Asia/Tokyo' })).toBe(stdout);
  harness.lock(PACKAGES);
  expect(fromShell()).toBe('the Node on PATH\n');
});

test('replaces a node_modules that it has not created', async () => {
  harness.write('project/node_modules/stray/package.json', '{}');

  await harness.run(['-e', '']);

  expect(existsSync(join(harness.root, 'node_modules/stray'))).toBe(false);
  expect(existsSync(join(harness.root, 'node_modules/@tensorflow/tfjs-node/package.json'))).toBe(true);
});

test('uses the compiler that CXX names', async () => {
  harness.removeTool('g++');
  harness.tool('ccache', `[ "$1" = clang++ ] || exit 1; ${COMPILER}`);

  expect(await harness.run(['-e', ''], { env: { CXX: 'ccache clang++' } })).toMatchObject({ exitCode: 0 });
});

test('downloads Zig when there is no compiler, and compiles with it', async () => {
  harness.removeTool('g++');
  harness.publishZig();

  expect(await harness.run(['-e', ''])).toMatchObject({
    exitCode: 0,
    stderr: `${[...STEP_LINES.slice(1, 3), 'set-up: Zig 9.9.9 (…)', STEP_LINES[3]].join('\n')}\n`,
  });
  expect(readFileSync(join(harness.toolchain, 'tfjs-binding/tfjs_binding.node'), 'utf8')).toBe('by zig\n');

  harness.forgetCalls();
  expect(await harness.run(['-e', ''])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(harness.calls()).toEqual([]);
});

test('does not compile again when a compiler is installed later', async () => {
  harness.removeTool('g++');
  harness.publishZig();
  await harness.run(['-e', '']);
  harness.tool('g++', COMPILER);
  harness.forgetCalls();

  expect(await harness.run(['-e', ''])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(harness.calls()).toEqual([]);
});

test('exits with the exit code of its program', async () => {
  expect(await harness.run(['-e', 'process.exit(7)'])).toMatchObject({ exitCode: 7 });
});

test('exits with 128 plus the number of the signal that killed its program', async () => {
  expect(await harness.run(['-e', 'process.kill(process.pid, "SIGKILL")'])).toMatchObject({ exitCode: 128 + 9 });
});

test.each<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP'])(
  'passes %s on, and waits for the end that follows',
  async (signal) => {
    const child = harness.start([
      '-e',
      `
    process.on('${signal}', () => setTimeout(() => { console.log('finished'); process.exit(5); }, 100));
    setInterval(() => {}, 1000);
    console.log('ready');`,
    ]);
    const ended = ending(child);
    child.stdout?.once('data', () => child.kill(signal));

    expect(await ended).toMatchObject({ exitCode: 5, stdout: 'ready\nfinished\n' });
  },
);

test('bin/labelqueue runs the TypeScript command from any folder, through a link', async () => {
  harness.write(
    'project/cli/main.ts',
    `const args: string[] = process.argv.slice(2); console.log(process.cwd(), ...args);`,
  );
  const elsewhere = join(harness.folder, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(join(harness.root, 'bin/labelqueue'), join(harness.root, 'link'));

  const { exitCode, stdout } = await harness.run(['classify', '--top', '5'], { entry: 'link', cwd: elsewhere });

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${realpathSync(elsewhere)} classify --top 5\n` });
});
