import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PACKAGES, SetupHarness } from './setup-harness.ts';

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
});

afterEach(() => {
  harness.remove();
});

/** Runs the setup, which must fail with one message and nothing else. */
async function failure(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await harness.run(['-p', '"not reached"'], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  const [, message = ''] = stderr.split('labelqueue setup: ');
  expect(message).not.toMatch(/^ +at /m);
  return message;
}

test.each([
  ['npm', 'npm could not install the packages:\n\n  no npm on PATH\n'],
  ['python3', 'pip is missing (Debian: apt install python3-pip):\n\n  no python3 on PATH\n'],
])('names %s when it is missing, before anything is fetched', async (tool, expected) => {
  harness.removeTool(tool);

  expect(await failure()).toContain(expected);
  expect(harness.calls()).toEqual([]);
});

test('distinguishes a Python without pip from no Python', async () => {
  harness.tool('python3', `case "$*" in *pip*) echo '/usr/bin/python3: No module named pip' >&2; exit 1 ;; esac`);

  const message = await failure();

  expect(message).toContain('pip is missing');
  expect(message).toContain('  /usr/bin/python3: No module named pip\n');
  expect(message).not.toContain('npm');
});

test('refuses a Linux without glibc', async () => {
  const preload = 'data:text/javascript,process.report.getReport=()=>({header:{}})';

  expect(await failure({ NODE_OPTIONS: `--import=${preload}` })).toMatch(
    /^expected a Linux with glibc, such as Debian/,
  );
});

test('says how much room is needed and how much there is', async () => {
  const path = join(harness.folder, 'full-disk.mjs');
  writeFileSync(
    path,
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.statfsSync = () => ({ blocks: 1, bavail: 2e6, bsize: 1e3 });
    syncBuiltinESMExports();`,
  );

  const env = { NODE_OPTIONS: `--import=${path}` };
  expect(await failure(env)).toMatch(/^2\.3 GB are needed in .*, 2\.0 GB are free\.$/m);
  harness.lock({ ...PACKAGES, typescript: { integrity: 'sha512-T', dev: true } });
  expect(await failure(env)).toMatch(/^3\.1 GB are needed in .*, 2\.0 GB are free\.$/m);
  expect(harness.calls()).toEqual([]);
});

test('says which compiler of CXX is missing', async () => {
  expect(await failure({ CXX: 'clang++-99' })).toBe(
    'clang++-99 could not compile the TensorFlow binding:\n\n  no clang++-99 on PATH\n\n',
  );
});

test.each([
  [
    'npm',
    'npm error code ENOTFOUND\nnpm error network request to http://h/p failed',
    'npm could not install the packages',
  ],
  ['npm', 'npm error code ENOSPC', 'npm could not install the packages'],
  ['npm', 'npm error `npm ci` can only install packages when … are in sync', 'npm could not install the packages'],
  ['g++', '/usr/bin/ld: final link failed: No space left on device', 'g++ could not compile the TensorFlow binding'],
])('shows what %s says when it fails: %s', async (tool, output, what) => {
  harness.failingTool(tool, output);

  expect(await failure()).toBe(`${what}:\n\n${output.replaceAll(/^/gm, '  ')}\n\n`);
});

test('shows the last lines of a tool that says much', async () => {
  harness.failingTool('npm', Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n'));

  const message = await failure();

  expect(message).toContain('line 99');
  expect(message).not.toContain('line 80');
});

test('refuses packages without the binaries that npm could not fetch', async () => {
  const binary = { integrity: 'sha512-E', optional: true, os: [process.platform], cpu: [process.arch] };
  harness.lock({ ...PACKAGES, '@img/sharp-here': binary, '@img/sharp-elsewhere': { ...binary, os: ['aix'] } });

  const message = await failure();

  expect(message).toContain('node_modules/@img/sharp-here');
  expect(message).not.toContain('sharp-elsewhere');
  expect(existsSync(join(harness.root, 'node_modules'))).toBe(false);
});

test('says what the file system refuses', async () => {
  harness.write('project/.labelqueue', 'a file where a folder belongs');

  expect(await failure()).toMatch(/^E(NOTDIR|EXIST): .*\.labelqueue/);
});

test('says that a copy without package-lock.json is not whole', async () => {
  rmSync(join(harness.root, 'package-lock.json'));

  expect(await failure()).toMatch(/^ENOENT: .*package-lock\.json/);
});
