// @ts-check
// What start.sh compares with: bin/labelqueue then starts the Node of the set-up at once, without the Node on PATH, whose
// own start takes longer than all other work before the command.

import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('./project.mjs').Project} Project */

/**
 * The state of all files that say what a set-up is, and of what was made.
 *
 * @param {Project} project
 * @returns {string} empty where the system's `stat` has no such format, as on macOS
 */
export function setUpState({ root }) {
  try {
    const script = '. "$0/setup/start.sh" && set_up_state "$0"';
    return execFileSync('sh', ['-c', script, root], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/**
 * To be called when each step was found made.
 *
 * @param {Project} project
 * @param {string} state  of before the look
 */
export function rememberReady({ toolchain }, state) {
  if (state === '') return;
  const note = join(toolchain, 'ready');
  const unfinished = `${note}.${process.pid}`;
  try {
    writeFileSync(unfinished, `${state}\n`);
    renameSync(unfinished, note);
  } catch {
    // The next start looks again.
  }
}
