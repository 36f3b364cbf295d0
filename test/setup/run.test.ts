import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { COMPILER, PACKAGES, SetupHarness, STEP_LINES } from './setup-harness.ts';

const otherPackage = { ...PACKAGES, 'node-api-headers': { integrity: 'sha512-B', dev: true } };
const otherTfjsNode = { ...PACKAGES, '@tensorflow/tfjs-node': { integrity: 'sha512-D' } };

const BINDING = `TensorFlow binding for ${process.platform}-${process.arch}`;

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
});

afterEach(() => {
  harness.remove();
});

test('makes everything from nothing, then runs its own Node with the arguments', async () => {
  const { exitCode, stdout, stderr } = await harness.run(['-p', 'process.argv[1]', 'argument']);

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'argument\n' });
  expect(stderr.trim().split('\n')).toEqual(STEP_LINES);
  expect(harness.calls()).toEqual([
    'npm ci --ignore-scripts --include=dev',
    'python3 -m pip download',
    expect.stringMatching(/^python3 .*unpack.py/),
    expect.stringMatching(/^g\+\+ -std=c\+\+17/),
  ]);
});

test('puts the library and the binding where tfjs-node looks for them', async () => {
  await harness.run(['-e', '']);

  const tfjsNode = join(harness.root, 'node_modules/@tensorflow/tfjs-node');
  expect(readFileSync(join(tfjsNode, 'deps/lib/libtensorflow_cc.so.2'), 'utf8')).toBe('library');
  expect(readFileSync(join(tfjsNode, 'deps/include/tensorflow/c/c_api.h'), 'utf8')).toBe('header');
  expect(realpathSync(join(tfjsNode, 'lib/napi-v8/tfjs_binding.node'))).toBe(
    realpathSync(join(harness.toolchain, 'tfjs-binding/tfjs_binding.node')),
  );
});

test('keeps the licenses that come with TensorFlow', async () => {
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

test('leaves nothing behind but the finished folders and a lock file', async () => {
  await harness.run(['-e', '']);

  expect(readdirSync(harness.toolchain).sort()).toEqual(['libtensorflow', 'setup.lock', 'tfjs-binding']);
});

test.each<[string, (changed: SetupHarness) => void, string[]]>([
  [
    'node_modules is gone',
    (changed) => rmSync(join(changed.root, 'node_modules'), { recursive: true }),
    ['npm packages'],
  ],
  ['a package of package-lock.json changed', (changed) => changed.lock(otherPackage), ['npm packages']],
  ['tfjs-node changed', (changed) => changed.lock(otherTfjsNode), ['npm packages', BINDING]],
  ['the pinned wheel changed', (changed) => changed.wheel({ content: 'newer' }), ['libtensorflow 2.18.1', BINDING]],
  ['the binding is gone', (changed) => rmSync(join(changed.toolchain, 'tfjs-binding'), { recursive: true }), [BINDING]],
])('makes again what depends on it, and nothing else, when %s', async (_what, change, titles) => {
  await harness.run(['-e', '']);
  change(harness);

  const { stderr } = await harness.run(['-e', '']);

  expect(stderr).toBe(titles.map((title) => `setup: ${title} (…)\n`).join(''));
});

/** Sets up, and lets the next run note that nothing is missing; the Node on PATH then only reports that it was used. */
async function setUpAndNoted(): Promise<void> {
  await harness.run(['-e', '']);
  await harness.run(['-e', '']);
  harness.tool('node', 'echo looked');
}

const looks = async () => (await harness.run(['-p', '1'])).stdout === 'looked\n1\n';
const lockFile = () => join(harness.root, 'package-lock.json');

test('starts no Node to look once nothing was missing, until a file that it is made from changes', async () => {
  await setUpAndNoted();
  expect(await looks()).toBe(false);
  harness.lock(otherPackage);
  expect(await looks()).toBe(true);
});

test.each<[string, () => void]>([
  ['package-lock.json', () => harness.lock(otherPackage)],
  ['setup/npm.mjs', () => appendFileSync(join(harness.root, 'setup/npm.mjs'), '// changed\n')],
  ['node_modules/.labelqueue-stamp.json', () => harness.write('project/node_modules/.labelqueue-stamp.json', '{}')],
])('looks again at a %s with other content, even if it is restored with an old time', async (file, change) => {
  await setUpAndNoted();
  change();
  utimesSync(join(harness.root, file), 1, 1);
  expect(await looks()).toBe(true);
});

test('a file rewritten with the same content does not start the setup', async () => {
  await setUpAndNoted();
  harness.lock(PACKAGES);
  utimesSync(lockFile(), new Date(), new Date(Date.now() + 3_600_000));
  expect(await looks()).toBe(false);
});

test('a note that was written in part is ignored', async () => {
  await setUpAndNoted();
  const note = join(harness.toolchain, 'ready');
  truncateSync(note, statSync(note).size - 40);
  expect(await looks()).toBe(true);
});

test('a file that changes during the look is looked at the next time', async () => {
  await harness.run(['-e', '']);
  harness.tool('node', `echo ' ' >> '${lockFile()}'; echo looked`);
  expect(await looks()).toBe(true);
  harness.tool('node', 'echo looked');
  expect(await looks()).toBe(true);
  expect(await looks()).toBe(false);
});

test('works without cksum', async () => {
  harness.removeTool('cksum');
  expect(await harness.run(['-p', '1'])).toMatchObject({ exitCode: 0, stdout: '1\n' });
  expect(await harness.run(['-p', '1'])).toEqual({ exitCode: 0, stdout: '1\n', stderr: '' });
});

test.each(['node_modules', '.labelqueue/toolchain/libtensorflow', '.labelqueue/toolchain/tfjs-binding'])(
  'notices that %s is gone',
  async (folder) => {
    await harness.run(['-e', '']);
    await harness.run(['-e', '']);
    rmSync(join(harness.root, folder), { recursive: true });

    expect((await harness.run(['-p', '1'])).stderr).toMatch(/^setup: /);
    expect(existsSync(join(harness.root, folder))).toBe(true);
  },
);

test('the setup alone is a command, which needs no checkout and may be in any folder', async () => {
  expect(await harness.run([join(harness.root, 'setup/start.mjs')], { entry: '../tools/node', cwd: '/' })).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: `${STEP_LINES.join('\n')}\n`,
  });
});

test('replaces a node_modules that it has not made', async () => {
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

test('fetches Zig where there is no compiler, and compiles with it', async () => {
  harness.removeTool('g++');
  harness.publishZig();

  expect(await harness.run(['-e', ''])).toMatchObject({
    exitCode: 0,
    stderr: `${[...STEP_LINES.slice(0, 2), 'setup: Zig 9.9.9 (…)', STEP_LINES[2]].join('\n')}\n`,
  });
  expect(readFileSync(join(harness.toolchain, 'tfjs-binding/tfjs_binding.node'), 'utf8')).toBe('by zig\n');

  harness.forgetCalls();
  expect(await harness.run(['-e', ''])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(harness.calls()).toEqual([]);
});

test('compiles nothing again once a compiler is installed', async () => {
  harness.removeTool('g++');
  harness.publishZig();
  await harness.run(['-e', '']);
  harness.tool('g++', COMPILER);
  harness.forgetCalls();

  expect(await harness.run(['-e', ''])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(harness.calls()).toEqual([]);
});

test('ends with the exit code of what it runs', async () => {
  expect(await harness.run(['-e', 'process.exit(7)'])).toMatchObject({ exitCode: 7 });
});

test.each<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'])('%s reaches what it runs', async (signal) => {
  await harness.run(['-e', '']);
  const child = harness.start(['-e', 'setInterval(() => {}, 1000); console.log("ready")']);
  child.stdout?.once('data', () => child.kill(signal));

  const [exitCode, endedBy] = await once(child, 'exit');

  expect({ exitCode, endedBy }).toEqual({ exitCode: null, endedBy: signal });
});

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
