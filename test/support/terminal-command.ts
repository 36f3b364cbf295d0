import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { MAIN } from './command.ts';

/** Python is there wherever setup ran, and can make a terminal. */
const ON_A_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

/** Runs `labelqueue` on its own terminal. @returns everything that is printed on it. */
export async function runOnTerminal(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; screen: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('python3', ['-c', ON_A_TERMINAL, process.execPath, MAIN, ...args], {
    env: { PATH, HOME, TERM: 'xterm', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    screen += text;
  });
  const [code] = await once(child, 'close');
  return { code, screen };
}
