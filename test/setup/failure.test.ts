import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fileFailure } from '../../setup/file-failure.mjs';
import { PACKAGES, SetupHarness } from './setup-harness.ts';

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
});

afterEach(() => {
  harness.remove();
});

/** Runs the set-up, which must fail with one message and nothing else. */
async function failure(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await harness.run(['-p', '"not reached"'], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  const [, message = ''] = stderr.split('labelqueue set-up: ');
  expect(message).not.toMatch(/^ +at /m);
  return message;
}

test('names all the tools that are missing, before any step is begun', async () => {
  harness.removeTool('python3');

  const message = await failure({ CXX: 'clang++-99' });

  expect(message).toContain(
    'clang++-99: compiles the TensorFlow binding (CXX names another compiler)\n    found: no clang++-99 on PATH',
  );
  expect(message).toContain('python3: unpacks libtensorflow\n    found: no python3 on PATH');
  expect(message).toMatch(/To install/);
  expect(harness.calls()).toEqual([]);
});

test('distinguishes a Python without pip from a missing Python', async () => {
  harness.tool('python3', `case "$*" in *pip*) echo '/usr/bin/python3: No module named pip' >&2; exit 1 ;; esac`);

  const message = await failure();

  expect(message).toContain('"python3 -m pip --version" says: /usr/bin/python3: No module named pip');
  expect(message).toContain('python3-pip');
  expect(message).not.toContain('g++');
});

test.each([
  ['npm error code ENOTFOUND\nnpm error network request to http://h/p failed, reason: getaddrinfo ENOTFOUND h'],
  ['npm error code ECONNREFUSED\nnpm error request to http://h/p failed, reason: connect ECONNREFUSED 127.0.0.1:9'],
])('says that npm has no connection: %s', async (output) => {
  harness.failingTool('npm', output);

  const message = await failure();

  expect(message).toContain('npm could not install the packages: no connection.');
  expect(message).toContain(output.split('\n')[1]);
  expect(existsSync(join(harness.root, 'node_modules'))).toBe(false);
});

test('names the log, which holds the command and what it printed', async () => {
  harness.tool('npm', 'if [ "$1" = ci ]; then echo a; echo b >&2; exit 1; fi');

  const log = /All it printed is in (\S+)/.exec(await failure())?.[1] ?? '';

  expect(log).toBe('.labelqueue/toolchain/logs/npm-packages.log');
  expect(readFileSync(join(harness.root, log), 'utf8')).toMatch(/^\$ npm ci .*\na\nb\n$/);
});

test('prints the expected and the found hash when npm refuses a package', async () => {
  const output = 'npm error Integrity checksum failed when using sha512: wanted sha512-AAA== but got sha512-BBB==.';
  harness.failingTool('npm', output);

  expect(await failure()).toContain('expected  sha512-AAA==\n  found     sha512-BBB==\n');
});

test('refuses packages without the binaries that npm could not fetch', async () => {
  const binary = { integrity: 'sha512-E', optional: true, os: [process.platform], cpu: [process.arch] };
  harness.lock({ ...PACKAGES, '@img/sharp-here': binary, '@img/sharp-elsewhere': { ...binary, os: ['aix'] } });

  const message = await failure();

  expect(message).toContain('node_modules/@img/sharp-here');
  expect(message).not.toContain('sharp-elsewhere');
  expect(existsSync(join(harness.root, 'node_modules'))).toBe(false);
});

test('says what to do when package.json and package-lock.json differ', async () => {
  const output =
    'npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please';
  harness.failingTool('npm', output);

  expect(await failure()).toContain('run "npm install --package-lock-only --ignore-scripts"');
});

test.each([
  ['g++', '/usr/bin/ld: final link failed: No space left on device'],
  ['npm', 'npm error code ENOSPC'],
])('says that the disk is full when %s fails because of it', async (tool, output) => {
  harness.failingTool(tool, output);

  expect(await failure()).toContain(`the disk is full.\n\n  ${output}`);
});

test('prints the last output of an unknown failure', async () => {
  harness.failingTool('g++', 'tfjs_backend.cc:1: error: no');

  expect(await failure()).toContain(
    'g++ could not compile the TensorFlow binding: it failed.\n\n  tfjs_backend.cc:1: error: no',
  );
});

test('says so when a part is missing from the wheel', async () => {
  harness.wheel({});
  const pins = join(harness.root, 'setup', 'pinned.mjs');
  writeFileSync(pins, readFileSync(pins, 'utf8').replace('libtensorflow_cc.so.2', 'libtensorflow_cc.so.3'));

  expect(await failure()).toContain('has no tensorflow/libtensorflow_cc.so.3');
  expect(existsSync(join(harness.toolchain, 'libtensorflow'))).toBe(false);
});

test.each([
  ['EACCES', /this user may not write there/],
  ['ENOSPC', /the disk is full/],
  ['EXDEV', /file system of its own/],
])('says what to do about %s of the file system', (code, advice) => {
  const error = Object.assign(new Error(`${code}: rename /p/node_modules`), { code });

  expect(fileFailure(error)).toMatchObject({ name: 'SetupError', message: expect.stringMatching(advice) });
  expect(fileFailure(error)).toMatchObject({ message: expect.stringContaining(error.message) });
});

test('passes on other errors than those of the file system', () => {
  const error = new TypeError('a mistake in the set-up');

  expect(fileFailure(error)).toBe(error);
});

test('says that a checkout without package-lock.json is incomplete', async () => {
  rmSync(join(harness.root, 'package-lock.json'));

  expect(await failure()).toContain('package-lock.json is missing');
});
