// @ts-check

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * Runs the tool in a process group with a guard, which reads from descriptor 3. That ends when this
 * process does, by kill -9 as well, and then the guard kills the group.
 */
const GUARDED = '{ read -r _ <&3; kill -KILL 0; } & exec "$@" 3<&-';

/**
 * Runs a tool to its end. Nothing that it has started outlives it, or this process.
 *
 * @param {readonly string[]} command
 * @param {object} options
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string} options.log  file that the command and its output are written to
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ exitCode: number | null, output: string }>} `exitCode` is null when a signal ended it
 * @throws what the signal was raised with
 */
export async function runTool(command, { cwd, env, log, signal }) {
  signal.throwIfAborted();
  const file = openSync(log, 'w');
  try {
    const heading = `$ ${command.join(' ')}\n`;
    writeSync(file, heading);
    const child = spawn('/bin/sh', ['-c', GUARDED, 'sh', ...command], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', file, file, 'pipe'],
    });
    const exitCode = await exitOf(child, signal);
    return { exitCode, output: readFileSync(log, 'utf8').slice(heading.length) };
  } finally {
    closeSync(file);
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child  the first of its process group
 * @param {AbortSignal} signal
 * @returns {Promise<number | null>}
 */
async function exitOf(child, signal) {
  const kill = () => killGroup(child.pid);
  signal.addEventListener('abort', kill);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exitCode) => (signal.aborted ? reject(signal.reason) : resolve(exitCode)));
    });
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty already.
  }
}
