import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a command as if it were this process: with its terminal, its signals and its end.
 *
 * @returns its exit code; 128 and the signal's number when a signal ended it
 */
export function runCommand(command: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const listeners = FORWARDED.map((signal) => ({ signal, listener: () => forward(signal) }));
    for (const { signal, listener } of listeners) process.on(signal, listener);
    const child = spawn(command, args, { stdio: 'inherit', env: environment });

    function forward(signal: NodeJS.Signals): void {
      // Ctrl-C reaches every process of the terminal by itself, and a second one may mean "at once".
      if (signal === 'SIGINT' && hasTerminal()) return;
      child.kill(signal);
    }

    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      for (const { signal: name, listener } of listeners) process.off(name, listener);
      resolve(signal ? 128 + constants.signals[signal] : (exitCode ?? 1));
    });
  });
}

function hasTerminal(): boolean {
  return [0, 1, 2].some((stream) => isatty(stream));
}
