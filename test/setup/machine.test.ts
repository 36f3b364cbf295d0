import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { checkDiskSpace } from '../../setup/disk-space.mjs';
import { PLATFORMS } from '../../setup/pinned.mjs';
import { platformNamed, refuseMusl } from '../../setup/platform.mjs';
import { checkPrerequisites, cxxCompiler, NPM, PIP } from '../../setup/prerequisites.mjs';
import { projectAt } from '../../setup/project.mjs';
import { nodeRuntime } from '../../setup/steps/node-runtime.mjs';

const project = projectAt('/project');

test.each([
  ['win32-x64', /WSL 2/],
  ['darwin-x64', /Intel Macs/],
  ['linux-ia32', /64-bit Node/],
  ['linux-riscv64', /No TensorFlow is published/],
])('refuses %s with advice', (name, advice) => {
  expect(() => platformNamed(name)).toThrow(advice);
  expect(() => platformNamed(name)).toThrow(`this Node is for ${name}`);
});

test('refuses a Linux without glibc', () => {
  expect(() => refuseMusl({ header: { platform: 'linux' } })).toThrow(/musl/);
  expect(() => refuseMusl({ header: { platform: 'linux', glibcVersionRuntime: '2.36' } })).not.toThrow();
  expect(() => refuseMusl({ header: { platform: 'darwin' } })).not.toThrow();
});

test.each([
  ['v24.3.0', true],
  ['v24.21.0', true],
  ['v24.2.0', false],
  ['v20.20.2', false],
  ['v26.1.0', false],
])('Node %s is accepted: %s', (version, willDo) => {
  const { path, step } = nodeRuntime({
    project,
    platform: platformNamed('linux-x64'),
    current: { version, path: '/node' },
  });

  expect(path === '/node').toBe(willDo);
  expect(step === undefined).toBe(willDo);
});

test('asks for Node 24 on macOS, for which npm has none', () => {
  const start = () =>
    nodeRuntime({ project, platform: platformNamed('darwin-arm64'), current: { version: 'v26.1.0', path: '/node' } });

  expect(start).toThrow(/this is v26\.1\.0 \(\/node\)\.\n\n.*\n {2}brew install node@24/);
});

test.each(Object.entries(PLATFORMS))('%s is pinned by hash', (_name, { node, wheel }) => {
  expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
  if (node) expect(node.integrity).toMatch(/^sha512-[\w+/]{86}==$/);
});

test.each([
  ['ID=debian', 'sudo apt-get install python3-pip g++'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"', 'sudo apt-get install python3-pip g++'],
  ['ID="rhel"', 'sudo dnf install python3-pip gcc-c++'],
  [
    'ID=arch',
    'on Debian or Ubuntu:\n  sudo apt-get install python3-pip g++\nor on Fedora:\n  sudo dnf install python3-pip gcc-c++\n',
  ],
])('prints how to install missing tools on %s', async (osRelease, command) => {
  const machine = { env: { PATH: '/nowhere' }, system: 'linux', osRelease };

  await expect(checkPrerequisites([PIP, cxxCompiler(['g++'])], machine)).rejects.toThrow(command);
});

test('prints how to install missing tools on macOS', async () => {
  const machine = { env: { PATH: '/nowhere' }, system: 'darwin', osRelease: '' };

  await expect(checkPrerequisites([PIP, cxxCompiler(['clang++'])], machine)).rejects.toThrow(
    'To install:\n  xcode-select --install\n',
  );
});

test('says that npm is missing', async () => {
  const machine = { env: { PATH: '/nowhere' }, system: 'linux', osRelease: '' };

  await expect(checkPrerequisites([NPM], machine)).rejects.toThrow(
    'npm: fetches the npm packages\n    found: no npm on PATH',
  );
});

test('prints the required and the available disk space', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'labelqueue-setup-'));

  await expect(checkDiskSpace(folder, 1e18)).rejects.toThrow(/1000000000\.0 GB are needed in .*, \d+\.\d GB are free/);
  await expect(checkDiskSpace(folder, 1)).resolves.toBeUndefined();
  await rm(folder, { recursive: true });
});

test('a Node that is too old prints the message', async () => {
  const launcher = fileURLToPath(new URL('../../setup/launch.mjs', import.meta.url));
  const script = `Object.defineProperty(process, 'versions', { value: { node: '18.20.0' } });
    import(${JSON.stringify(launcher)}).then(({ launch }) => launch([]));`;

  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, ['-e', script], (error, _stdout, text) => resolve({ code: error?.code, stderr: text }));
  });

  expect(code).toBe(1);
  expect(stderr).toMatch(/^labelqueue set-up: Node 20 or newer is needed, this is .*\n\nInstall Node 24/);
});
