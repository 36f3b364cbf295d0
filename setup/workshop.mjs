// @ts-check

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toolEnvironment } from './environment.mjs';
import { shown } from './project.mjs';
import { putInPlace } from './stamped-folder.mjs';
import { runTool } from './tool.mjs';
import { toolFailure } from './tool-failure.mjs';

/** @typedef {import('./project.mjs').Project} Project */
/** @typedef {import('./step.mjs').Step} Step */
/** @typedef {import('./step.mjs').Workshop} Workshop */

/**
 * Makes the folder of a step and puts it, whole, where it belongs.
 *
 * @param {Project} project
 * @param {Step} step
 * @param {object} options
 * @param {import('./progress.mjs').Progress} options.progress
 * @param {AbortSignal} options.signal
 */
export async function make(project, step, { progress, signal }) {
  const folder = await newFolder(project);
  progress.begin(step.title);
  try {
    const made = await step.make({
      folder,
      run: (command, options) => run(project, command, options, signal),
      report: (phase, measure) => progress.report(phase, measure),
    });
    await putInPlace(made, step.place, step.stamp, join(folder, 'replaced'));
    progress.done();
  } finally {
    progress.clear();
    await remove(folder);
  }
}

/**
 * Removes what set-ups that were killed have left. To be called by the only one that runs.
 *
 * @param {Project} project
 */
export async function removeLeftovers(project) {
  await remove(workshops(project));
}

/**
 * The last of the tools that were just killed may still be writing: hence the retries.
 *
 * @param {string} folder
 */
async function remove(folder) {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** @param {Project} project */
async function newFolder(project) {
  await mkdir(workshops(project), { recursive: true });
  return mkdtemp(join(workshops(project), 'step-'));
}

/**
 * On the file system of the places that the finished folders are renamed to.
 *
 * @param {Project} project
 */
function workshops(project) {
  return join(project.toolchain, 'unfinished');
}

/**
 * @param {Project} project
 * @param {readonly string[]} command
 * @param {import('./step.mjs').ToolOptions} options
 * @param {AbortSignal} signal
 */
async function run(project, command, { name, failure, cwd, env = toolEnvironment() }, signal) {
  const logs = join(project.toolchain, 'logs');
  await mkdir(logs, { recursive: true });
  const log = join(logs, `${name}.log`);
  const { exitCode, output } = await runTool(command, { cwd, env, log, signal });
  if (exitCode !== 0) throw toolFailure({ failure, output, log: shown(project, log) });
}
