// @ts-check

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

/** @type {NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs Node as if it were this process: same terminal, same signals, same end.
 *
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number>} its exit code; 128 and the signal's number when a signal ended it
 */
export function runNode(node, args, environment) {
  return new Promise((resolve, reject) => {
    const listeners = FORWARDED.map((signal) => ({ signal, listener: () => forward(signal) }));
    for (const { signal, listener } of listeners) process.on(signal, listener);
    const child = spawn(node, args, { stdio: 'inherit', env: environment });

    /** @param {NodeJS.Signals} signal */
    function forward(signal) {
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

function hasTerminal() {
  return [0, 1, 2].some((stream) => isatty(stream));
}
