// @ts-check
// What a start has found complete, so that the next one need not work out again what a complete set-up is: that takes
// longer than all other work before the command. Whatever it depends on stands in a key, and a set-up that differs in
// anything is looked at as if there were no note.

import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAMP } from './stamped-folder.mjs';

/** @typedef {import('./project.mjs').Project} Project */

/**
 * @param {Project} project
 * @returns {string | undefined} the Node to run; undefined when it is not known whether the set-up is complete
 */
export function readyNode(project) {
  try {
    const { key, node } = JSON.parse(readFileSync(noteOf(project), 'utf8'));
    return key === readyKey(project) ? node : undefined;
  } catch {
    return undefined;
  }
}

/**
 * To be called when each step was found made.
 *
 * @param {Project} project
 * @param {{ key: string, node: string }} found  the key of before the look, and the Node to run
 */
export function rememberReady(project, found) {
  const unfinished = `${noteOf(project)}.${process.pid}`;
  try {
    writeFileSync(unfinished, JSON.stringify(found));
    renameSync(unfinished, noteOf(project));
  } catch {
    // The next start looks again.
  }
}

/** @param {Project} project */
function noteOf({ toolchain }) {
  return join(toolchain, 'ready.json');
}

/**
 * The files that say what a set-up is, and the stamps of what was made: a file that is replaced or written has another
 * time, size or number.
 *
 * @param {Project} project
 * @returns {string}
 */
export function readyKey({ root, nodeModules, toolchain }) {
  const setup = join(root, 'setup');
  const steps = join(setup, 'steps');
  const files = [
    join(root, 'package-lock.json'),
    ...[setup, steps].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
    ...[nodeModules, ...['node', 'libtensorflow', 'tfjs-binding'].map((name) => join(toolchain, name))].map((folder) =>
      join(folder, STAMP),
    ),
  ];
  const machine = [process.version, process.execPath, process.platform, process.arch, process.env['CXX'] ?? ''];
  return JSON.stringify([machine, files.map(stateOf)]);
}

/** @param {string} path */
function stateOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? [path] : [path, found.mtimeMs, found.ctimeMs, found.size, found.ino];
}
