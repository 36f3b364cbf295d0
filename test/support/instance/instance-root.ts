import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../../testkit/eventually.ts';
import { AWS_CLI, pythonPackages } from '../python-packages.ts';

const STAND_INS = ['systemctl', 'aws'];
const BOOT_MS = 180_000;

/** A root in which user data has run as on an instance that starts, with its services. */
export type InstanceRoot = AsyncDisposable & {
  path: string;
  /** What the script ended with. */
  code: number;
  /** What its script has written. */
  output: () => string;
  /** What the stand-ins for systemd and AWS were called with so far, one line each. */
  calls: () => Promise<string[]>;
};

/**
 * Runs user data as root in a root of its own, made of this machine's `/usr`, where `systemctl` and `aws` are stand-ins.
 *
 * @param folder an empty one
 * @param environment of the script and of all that it starts, in place of what an instance's role and metadata give
 */
export async function startInstance(
  folder: string,
  userData: string,
  environment: Record<string, string>,
): Promise<InstanceRoot> {
  await mkdir(join(folder, 'stand-ins'), { recursive: true });
  for (const name of STAND_INS) {
    await copyFile(join(import.meta.dirname, `${name}.sh`), join(folder, 'stand-ins', name));
    await chmod(join(folder, 'stand-ins', name), 0o755);
  }
  await writeFile(join(folder, 'user-data'), userData);
  const enter = [join(import.meta.dirname, 'enter.sh'), folder, await pythonPackages(AWS_CLI), '/user-data'];
  const child = spawn('unshare', ['--map-root-user', '--mount', '--pid', '--fork', '--kill-child', 'bash', ...enter], {
    env: { ...environment, PATH: process.env['PATH'] ?? '', PYTHONPATH: '/aws-cli' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const place = join(folder, 'code');
  await eventually('user data to end', () => existsSync(place) || hasEnded(child), BOOT_MS);
  if (hasEnded(child)) throw new Error(`expected a root to run in, but unshare ended: ${output}`);
  return {
    path: folder,
    code: Number(await readFile(place, 'utf8')),
    output: () => output,
    calls: async () => (await readFile(join(folder, 'calls'), 'utf8')).trimEnd().split('\n'),
    async [Symbol.asyncDispose]() {
      if (hasEnded(child)) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
