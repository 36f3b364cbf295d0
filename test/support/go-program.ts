import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { takeLock } from '../../setup/setup-lock.mjs';

const FOLDER = join(import.meta.dirname, '../../.labelqueue/go');

/** A command in Go that goes into a folder of its own. */
export type GoProgram = {
  module: string;
  version: string;
  /** The folder of its command in the module; the last part is its name. */
  command: string;
  /** What `go mod download -json` says of the module. */
  sum: string;
};

/** Checks workflows of GitHub. */
export const ACTIONLINT: GoProgram = {
  module: 'github.com/rhysd/actionlint',
  version: 'v1.7.12',
  command: 'cmd/actionlint',
  sum: 'h1:vQ4GeJN86C0QH+gTUQcs8McmK62OLT3kmakPMtEWYnY=',
};

/**
 * A Go program that tests need, in a folder of this project. Fetched and compiled by the Go of this machine when a test asks
 * for it for the first time.
 *
 * @returns the path of the command
 */
export async function goProgram(wanted: GoProgram): Promise<string> {
  const place = join(FOLDER, `${basename(wanted.command)}-${wanted.version}`);
  const command = join(place, basename(wanted.command));
  if (existsSync(place)) return command;
  await mkdir(FOLDER, { recursive: true });
  const release = await takeLock(join(FOLDER, 'lock'), { signal: new AbortController().signal, onWait() {} });
  try {
    if (!existsSync(place)) await install(place, wanted);
  } finally {
    release();
  }
  return command;
}

async function install(place: string, { module, version, command, sum }: GoProgram): Promise<void> {
  const go = (args: string[], more: Record<string, string> = {}) =>
    promisify(execFile)('go', args, { cwd: FOLDER, env: { ...process.env, GOFLAGS: '-buildvcs=false', ...more } });
  const { stdout } = await go(['mod', 'download', '-json', `${module}@${version}`]);
  const { Sum } = JSON.parse(stdout) as { Sum?: string };
  if (Sum !== sum) throw new Error(`expected ${module}@${version} with the sum ${sum}, got ${Sum}`);
  const unfinished = `${place}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await go(['install', `${module}/${command}@${version}`], { GOBIN: unfinished });
  await rename(unfinished, place);
}
