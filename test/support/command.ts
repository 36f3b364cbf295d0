import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../../testkit/eventually.ts';

/** The module that `bin/labelqueue` runs. */
export const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** So that no test finds a service that runs on this machine. */
const NO_STATE = '/nonexistent';

/** That of bin/labelqueue: without it each start compiles all modules again, which is half of its time. */
export const COMPILE_CACHE = join(import.meta.dirname, '../../.labelqueue/compile-cache');

export type CommandOptions = {
  /** All that the command finds in its environment beside PATH and HOME. */
  environment?: Record<string, string>;
  input?: Iterable<string>;
  /** Flags for Node, e.g. a memory limit. */
  execArgv?: string[];
  /** Closes its standard output at once. */
  closedOutput?: boolean;
};

export type CommandRun = { code: number | null; stdout: string; stderr: string };

/** A command that is still running. */
export type RunningCommand = {
  stdout(): string;
  stderr(): string;
  /** Resolves when what it wrote to standard output matches. */
  says(pattern: RegExp): Promise<void>;
  /** What Ctrl-C in a terminal does: the signal goes to its whole process group. Nothing once it has ended. */
  interrupt(): void;
  /** To the command alone, not to its process group. */
  signal(signal: NodeJS.Signals): void;
  pid(): number | undefined;
  ended: Promise<CommandRun>;
  /** The signal that has ended it, if one did. */
  endedBy(): NodeJS.Signals | null;
};

/** Starts `labelqueue` as a process of its own, as a shell does, and not on a terminal. */
export function startCommand(
  args: readonly string[],
  { environment = {}, input = [], execArgv = [], closedOutput = false }: CommandOptions = {},
): RunningCommand {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [...execArgv, MAIN, ...args], {
    env: { PATH, HOME, LABELQUEUE_STATE_DIR: NO_STATE, NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  if (closedOutput) child.stdout.destroy();
  // A command that reads no input may end before it is written.
  child.stdin.on('error', () => {});
  for (const text of input) child.stdin.write(text);
  child.stdin.end();
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    says: (pattern) => eventually(`${pattern} after ${stdout}${stderr}`, () => pattern.test(stdout), 30_000),
    interrupt() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        process.kill(-child.pid, 'SIGINT');
      }
    },
    signal: (signal) => void child.kill(signal),
    pid: () => child.pid,
    ended,
    endedBy: () => child.signalCode,
  };
}

/** Runs `labelqueue` to its end. */
export function runCommand(args: readonly string[], options?: CommandOptions): Promise<CommandRun> {
  return startCommand(args, options).ended;
}
