import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { leftByKilledProcess } from '../support/left-behind.ts';
import { InstalledPackage, packedPackage } from './installed-package.ts';

const run = promisify(execFile);

let folder: TemporaryFolder;
let installed: InstalledPackage;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  const archive = await packedPackage(folder.path);
  const place = join(folder.path, 'user');
  await mkdir(place);
  installed = await InstalledPackage.install(archive, place, process.execPath);
}, 600_000);
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

async function textIn(archive: string, name: string): Promise<string> {
  return (await run('tar', ['-x', '-z', '-O', '-f', archive, name])).stdout;
}

test('the package carries what commands with TensorFlow need, and nothing for developers', async () => {
  const archive = installed.path('project.tar.gz');
  const names = (await run('tar', ['-t', '-z', '-f', archive])).stdout.split('\n').filter(Boolean);
  for (const name of ['bin/labelqueue', 'cli/main.ts', 'setup/start.mjs', 'samples/manifest.jsonl']) {
    expect(names).toContain(name);
  }
  expect(names.filter((name) => /^models\/efficientnet-lite0\/.*\.pb$/.test(name))).toHaveLength(2);
  expect(
    names.filter((name) => /^(test|bench|infra|npm)\/|^docs\/(pictures|decisions)|__pycache__/.test(name)),
  ).toEqual([]);
  const { devDependencies, dependencies } = JSON.parse(await textIn(archive, 'package.json'));
  expect(devDependencies).toBeUndefined();
  const { packages } = JSON.parse(await textIn(archive, 'package-lock.json'));
  expect(packages[''].dependencies).toEqual(dependencies);
  for (const name of Object.keys(dependencies)) expect(packages).toHaveProperty([`node_modules/${name}`]);
  const compilers = Object.keys(packages).filter((path) => /esbuild|typescript/.test(path));
  expect(compilers).toEqual([]);
});

/** Puts a project in the place of the packaged one, whose command prints how it was started. */
async function packCommand(script: string): Promise<void> {
  const project = join(folder.path, 'project');
  await mkdir(join(project, 'bin'), { recursive: true });
  await writeFile(join(project, 'bin/labelqueue'), `#!/bin/sh\n${script}\n`);
  await chmod(join(project, 'bin/labelqueue'), 0o755);
  await run('tar', ['-c', '-z', '-f', installed.path('project.tar.gz'), '-C', project, 'bin/labelqueue']);
}

test.each([
  [['classify', 'cat.jpg', '--json']],
  [['model', 'check', 'net']],
  [['enqueue', 'cats.csv', '--sample', '3']],
  [['local', '--port', '0']],
])('%j runs from the project, which is unpacked once', async (args) => {
  const cache = join(folder.path, `cache-${args[0]}`);
  await packCommand(`mkdir -p "$\{0%/*}/../.labelqueue/toolchain/tfjs-binding"; echo "$@"; exit 3`);
  const ended = { code: 3, stdout: `${args.join(' ')}\n` };
  expect(await installed.labelqueue(args, { XDG_CACHE_HOME: cache })).toEqual({
    ...ended,
    stderr: `setting up TensorFlow in ${cache}/labelqueue, once: 0.4 GB to download, 1.4 GB on disk …\n`,
  });
  await rm(installed.path('project.tar.gz'));
  expect(await installed.labelqueue(args, { XDG_CACHE_HOME: cache })).toEqual({ ...ended, stderr: '' });
  expect((await readdir(join(cache, 'labelqueue'))).sort()).toEqual([
    expect.stringMatching(/^\d+\.\d+\.\d+-/),
    'compile-cache',
  ]);
});

test('help and mistakes in the command line need no project', async () => {
  await packCommand('echo started');
  const cache = join(folder.path, 'cache-none');
  const { code, stdout } = await installed.labelqueue(['classify', '--help'], { XDG_CACHE_HOME: cache });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Usage: labelqueue classify') });
  expect(await installed.labelqueue(['classify'], { XDG_CACHE_HOME: cache })).toMatchObject({ code: 2, stdout: '' });
  expect(await readdir(join(cache, 'labelqueue'))).toEqual(['compile-cache']);
});

test('two commands at once, after one that was killed while it unpacked, both find a whole project', async () => {
  await packCommand('echo whole');
  const cache = join(folder.path, 'cache-two');
  const start = () => installed.labelqueue(['demo'], { XDG_CACHE_HOME: cache });
  await start();
  const [name = ''] = (await readdir(join(cache, 'labelqueue'))).filter((entry) => entry !== 'compile-cache');
  const place = join(cache, 'labelqueue', name);
  await rm(place, { recursive: true });
  // Left by a process that is gone: no process has a number as large.
  await mkdir(join(leftByKilledProcess(place), 'bin'), { recursive: true });
  for (const { code, stdout } of await Promise.all([start(), start(), start()])) {
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'whole\n' });
  }
  expect((await readdir(join(cache, 'labelqueue'))).sort()).toEqual([name, 'compile-cache']);
});

test('a project that cannot be unpacked is reported in plain words, and leaves nothing behind', async () => {
  await writeFile(installed.path('project.tar.gz'), 'not an archive');
  const cache = join(folder.path, 'cache-broken');
  const { code, stdout, stderr } = await installed.labelqueue(['demo'], { XDG_CACHE_HOME: cache });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^labelqueue: tar could not unpack \S+project\.tar\.gz to \S+cache-broken\/labelqueue: .*(gzip|archive) format/i,
  );
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(await readdir(join(cache, 'labelqueue'))).toEqual(['compile-cache']);
});

/** Commands that do not need the cache, and one that does. */
async function withCache(cache: string) {
  await packCommand('echo started');
  const help = await installed.labelqueue(['--help'], { XDG_CACHE_HOME: cache });
  expect({ ...help, stdout: help.stdout.slice(0, 17) }).toEqual({ code: 0, stdout: 'Usage: labelqueue', stderr: '' });
  return installed.labelqueue(['classify', 'cat.jpg'], { XDG_CACHE_HOME: cache });
}

test('nothing is run from a cache folder that other users may write to, and nothing is written to it', async () => {
  const cache = join(folder.path, 'cache-shared');
  await mkdir(join(cache, 'labelqueue'), { recursive: true });
  await chmod(join(cache, 'labelqueue'), 0o777);
  expect(await withCache(cache)).toEqual({
    ...{ code: 1, stdout: '' },
    stderr: `labelqueue: expected ${cache}/labelqueue to be writable by its owner only, found the permissions 777: other users could change the programs in it; delete it, run chmod go-w on it, or set XDG_CACHE_HOME to a folder of your own\n`,
  });
  expect(await readdir(join(cache, 'labelqueue'))).toEqual([]);
});

test('nothing is run from a folder in the cache that other users may write to', async () => {
  const cache = join(folder.path, 'cache-version');
  expect((await withCache(cache)).stdout).toBe('started\n');
  const [name = ''] = (await readdir(join(cache, 'labelqueue'))).filter((entry) => entry !== 'compile-cache');
  await chmod(join(cache, 'labelqueue', name), 0o772);
  const { code, stdout, stderr } = await withCache(cache);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`expected ${join(cache, 'labelqueue', name)} to be writable by its owner only`);
});

test.each(['/proc/x', '/dev/null'])('XDG_CACHE_HOME=%s ends a command that needs it with one line', async (cache) => {
  const { code, stdout, stderr } = await withCache(cache);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^labelqueue: the cache folder \S+ cannot be made \(.+\); set XDG_CACHE_HOME to .+\n$/);
});

test('an old Node is told which one is needed', async () => {
  const { code, stderr } = await installed.start('node', [
    '--eval',
    `Object.defineProperty(process.versions, 'node', { value: '20.19.0' }); import(${JSON.stringify(installed.path('bin/labelqueue.js'))})`,
  ]).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^labelqueue: expected Node 22\.19 or newer, this is /);
});
