// @ts-check

import { execFile } from 'node:child_process';

const LAST_LINES = 16;
const LIMITS = /** @type {const} */ ({ maxBuffer: 64 << 20, killSignal: 'SIGKILL' });

/** The setup cannot go on for a reason outside it. The message is all that users see of it. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/**
 * `failure` is what to say when the tool fails, such as `npm could not install sharp`.
 *
 * @typedef {{ failure: string, cwd?: string, env?: NodeJS.ProcessEnv, signal?: AbortSignal }} ToolOptions
 */

/**
 * Runs a tool to its end.
 *
 * @type {(command: readonly string[], options: ToolOptions) => Promise<void>}
 * @throws {SetupError} with the last lines that it printed
 * @throws the reason of the signal, which ends the tool
 */
export function runTool([file = '', ...args], { failure, ...options }) {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { ...options, ...LIMITS }, (error, stdout, stderr) => {
      if (!error) return resolve();
      if (options.signal?.aborted) return reject(options.signal.reason);
      const cause = error.code === 'ENOENT' ? `no ${file} on PATH` : error.message;
      const lines = (stderr.trim() || stdout.trim() || cause).split('\n').filter((line) => !/ {4}at /.test(line));
      const shown = lines.slice(-LAST_LINES).map((line) => `  ${line}\n`);
      reject(new SetupError(`${failure}:\n\n${shown.join('')}`));
    });
    child.stdin?.end();
  });
}
