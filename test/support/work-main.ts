import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CommandRun } from './command.ts';

const MAIN = join(import.meta.dirname, '../../worker/main.ts');

/** Runs the worker's entry without the command line to its end, with nothing in its environment beside PATH and HOME. */
export async function runMain(environment: Record<string, string>): Promise<CommandRun> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--no-warnings', MAIN], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}
