import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { npmCi } from '../../setup/npm.mjs';
import { npmEnvironment, pipEnvironment } from '../../setup/tool-environment.mjs';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

const KINDS = { dependencies: 'needed', devDependencies: 'developed', optionalDependencies: 'optional' };
const PACKAGES = Object.values(KINDS);

let archives: TemporaryFolder;
let integrity: Record<string, string>;
beforeAll(async () => {
  archives = await createTemporaryFolder();
  integrity = Object.fromEntries(await Promise.all(PACKAGES.map(async (name) => [name, await pack(name)])));
});
afterAll(async () => {
  await archives[Symbol.asyncDispose]();
});

let folder: TemporaryFolder;
let project: string;
const before = { ...process.env };
beforeEach(async () => {
  folder = await createTemporaryFolder();
  project = join(folder.path, 'project');
  await mkdir(project);
  for (const [file, content] of Object.entries(projectFiles())) await writeFile(join(project, file), content);
  process.env['HOME'] = folder.path;
});
afterEach(async () => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, before);
  await folder[Symbol.asyncDispose]();
});

/** @returns the hash of a package with a command, in an archive as npm downloads it */
async function pack(name: string): Promise<string> {
  const content = join(archives.path, name, 'package');
  await mkdir(content, { recursive: true });
  await writeFile(join(content, 'package.json'), JSON.stringify({ name, version: '1.0.0', bin: 'command.js' }));
  await writeFile(join(content, 'command.js'), '#!/usr/bin/env node\n');
  const archive = join(archives.path, `${name}.tgz`);
  execFileSync('tar', ['-c', '-z', '-f', archive, '-C', join(archives.path, name), 'package']);
  return `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
}

function projectFiles(): Record<string, string> {
  const fileOf = (name: string) => `file:${join(archives.path, name)}.tgz`;
  const manifest = Object.fromEntries(Object.entries(KINDS).map(([kind, name]) => [kind, { [name]: fileOf(name) }]));
  const locked = Object.entries(KINDS).map(([kind, name]) => [
    `node_modules/${name}`,
    {
      ...{ version: '1.0.0', resolved: fileOf(name), integrity: integrity[name], bin: { [name]: 'command.js' } },
      ...(kind === 'devDependencies' && { dev: true }),
      ...(kind === 'optionalDependencies' && { optional: true }),
    },
  ]);
  return {
    'package.json': JSON.stringify({ private: true, ...manifest }),
    'package-lock.json': JSON.stringify({
      lockfileVersion: 3,
      packages: { '': manifest, ...Object.fromEntries(locked) },
    }),
  };
}

async function installed(): Promise<string[]> {
  await npmCi(project, 'npm could not install the packages');
  const commands = await readdir(join(project, 'node_modules/.bin'));
  return commands.sort();
}

describe('npm installs the same packages, with their commands, at the same place', () => {
  test.each([
    ['npm_config_workspace', 'another'],
    ['npm_config_workspaces', 'true'],
    ['npm_config_global', 'true'],
    ['npm_config_location', 'global'],
    ['NPM_CONFIG_PREFIX', '/nonexistent'],
    ['npm_config_local_prefix', '/nonexistent'],
    ['npm_config_omit', 'optional'],
    ['npm_config_only', 'production'],
    ['npm_config_ignore_scripts', 'false'],
    ['npm_config_dry_run', 'true'],
    ['NPM_CONFIG_PACKAGE_LOCK_ONLY', 'true'],
    ['npm_config_bin_links', 'false'],
    ['npm_config_install_strategy', 'linked'],
    ['npm_config_allow_file', 'none'],
    ['NODE_ENV', 'production'],
    ['NODE_OPTIONS', '--require ./not-here.js'],
    ['NODE_OPTIONS', '--inspect-brk=127.0.0.1:0'],
  ])('with %s=%s in the environment', async (name, value) => {
    process.env[name] = value;
    expect(await installed()).toEqual([...PACKAGES].sort());
  });

  test.each([
    'workspaces=true',
    'global=true',
    'omit=optional',
    'production=true',
    'dry-run=true',
    'package-lock-only=true',
    'bin-links=false',
  ])('with %s in the .npmrc of the user', async (line) => {
    await writeFile(join(folder.path, '.npmrc'), `${line}\n`);
    expect(await installed()).toEqual([...PACKAGES].sort());
  });
});

const KEPT_OF_NPM = {
  ...{ npm_config_registry: 'https://host/', 'npm_config_@scope:registry': 'https://host/', npm_config_cache: '/c' },
  ...{ 'npm_config_//host/:_authToken': 't', npm_config_https_proxy: 'http://p', NPM_CONFIG_NOPROXY: 'h' },
  ...{
    npm_config_cafile: '/ca',
    'NPM_CONFIG_STRICT-SSL': 'true',
    npm_config_userconfig: '/rc',
    npm_config_offline: '',
  },
  ...{ HTTPS_PROXY: 'http://p', NODE_EXTRA_CA_CERTS: '/ca', NPM_TOKEN: 't', PATH: '/bin' },
};

test('npm gets the settings for registries, proxies, certificates and its cache', () => {
  expect(npmEnvironment({ ...KEPT_OF_NPM, npm_lifecycle_event: 'start', npm_package_name: 'x' })).toEqual({
    ...KEPT_OF_NPM,
    NODE_OPTIONS: '',
  });
});

test.each([
  ['--use-system-ca --require ./a.js --dns-result-order ipv4first', '--use-system-ca --dns-result-order ipv4first'],
  ['-r "./with space.js" --import=./a.mjs --max-old-space-size=4096', '--max-old-space-size=4096'],
  ['--max_old_space_size=4096 ./stray', '--max_old_space_size=4096'],
  ['--inspect --openssl-shared-config', '--openssl-shared-config'],
  ['--openssl-config="/a b/c.cnf" --require "/x --use-system-ca y.js"', '--openssl-config="/a b/c.cnf"'],
  ['--openssl-config  "/a b/c.cnf"\t-r ./x', '--openssl-config  "/a b/c.cnf"'],
])('of NODE_OPTIONS=%s, npm gets %s', (given, kept) => {
  expect(npmEnvironment({ NODE_OPTIONS: given })).toEqual({ NODE_OPTIONS: kept });
});

test('pip gets the settings for indexes, proxies, certificates and its cache', () => {
  const kept = {
    PIP_INDEX_URL: 'https://host',
    PIP_CERT: '/ca',
    pip_proxy: 'http://p',
    PIP_CACHE_DIR: '/c',
    PATH: '/bin',
  };
  const dropped = { PIP_REQUIREMENT: '/r', PIP_CONSTRAINT: '/c', PIP_PYTHON: '/p', PIP_TARGET: '/t' };
  expect(pipEnvironment({ ...kept, ...dropped })).toEqual({ ...kept, PIP_REQUIRE_VIRTUALENV: '0' });
});
