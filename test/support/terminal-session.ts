import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../../testkit/eventually.ts';

export const BIN = join(import.meta.dirname, '../../bin/labelqueue');

/** Passes keys in and the screen out; hangs up when its input ends. Python is there wherever the setup ran. */
const ON_A_TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios
columns, rows = int(sys.argv[1]), int(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
while True:
    ready, _, _ = select.select([0, terminal], [], [])
    try:
        if terminal in ready:
            os.write(1, os.read(terminal, 65536))
        if 0 in ready:
            keys = os.read(0, 1024)
            if not keys:
                os.close(terminal)
                break
            os.write(terminal, keys)
    except OSError:
        break
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(128 - code if code < 0 else code)
`;

export const CTRL_C = '\u0003';

/** A program on a terminal of its own. */
export type TerminalSession = {
  /** All that has reached the terminal so far, drawing included. */
  screen(): string;
  /** Resolves when what has reached the terminal matches. */
  shows(pattern: RegExp): Promise<void>;
  press(keys: string): void;
  /** Closes the terminal, as a window that is closed or a connection that is lost. */
  hangUp(): void;
  /** The exit code, as shells have it: 128 and the number of a signal. */
  ended: Promise<number>;
};

export type TerminalOptions = { environment?: Record<string, string>; columns?: number; rows?: number };

/** Starts a program with all that it finds in its environment beside PATH and HOME. A size of 0 is a terminal without one. */
export function startOnTerminal(
  command: readonly string[],
  { environment = {}, columns = 80, rows = 24 }: TerminalOptions = {},
): TerminalSession {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('python3', ['-c', ON_A_TERMINAL, String(columns), String(rows), ...command], {
    env: { PATH, HOME, TERM: 'xterm', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    screen += text;
  });
  child.stdin.on('error', () => {});
  return {
    screen: () => screen,
    shows: (pattern) => eventually(`${pattern} on the terminal`, () => pattern.test(screen), 60_000),
    press: (keys) => void child.stdin.write(keys),
    hangUp: () => void child.stdin.end(),
    ended: once(child, 'close').then(([code]) => code),
  };
}

/** `bin/labelqueue` on a terminal, as people run it. */
export function startCommandOnTerminal(args: readonly string[], options?: TerminalOptions): TerminalSession {
  return startOnTerminal([BIN, ...args], options);
}
