// @ts-check

import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDiskSpace } from './disk-space.mjs';
import { toolEnvironment } from './environment.mjs';
import { fileFailure } from './file-failure.mjs';
import { refuseMusl } from './platform.mjs';
import { checkPrerequisites } from './prerequisites.mjs';
import { Progress } from './progress.mjs';
import { takeLock } from './setup-lock.mjs';
import { isMade } from './step.mjs';
import { make, removeLeftovers } from './workshop.mjs';

/** @typedef {import('./project.mjs').Project} Project */
/** @typedef {import('./step.mjs').Step} Step */

/**
 * Makes what is missing of a few steps, and shows how far it is on standard error.
 *
 * @param {Project} project
 * @param {Step[]} steps  in the order in which they build on each other
 * @throws {import('./setup-error.mjs').SetupError} when the user has to fix something first
 */
export async function prepareMissing(project, steps) {
  if (steps.every(isMade)) return;
  await prepare(project, steps, { progress: new Progress(process.stderr), signal: new AbortController().signal });
}

/**
 * Makes what is missing. Killed at any point, it leaves only whole folders in their places, and the
 * next run goes on from there.
 *
 * @param {Project} project
 * @param {Step[]} steps  in the order in which they build on each other
 * @param {object} options
 * @param {import('./progress.mjs').Progress} options.progress
 * @param {AbortSignal} options.signal  stops it
 * @throws {import('./setup-error.mjs').SetupError} when the user has to mend something first
 */
export async function prepare(project, steps, { progress, signal }) {
  refuseMusl(process.report.getReport());
  try {
    await mkdir(project.toolchain, { recursive: true });
    const release = await takeLock(join(project.toolchain, 'lock'), {
      signal,
      onWait: (holder) => progress.note(`waiting for another set-up of this project (${holder})`),
    });
    try {
      await removeLeftovers(project);
      // Another set-up may have made some, while this one waited.
      const missing = steps.filter((step) => !isMade(step));
      await checkMachine(project, missing);
      for (const step of missing) await make(project, step, { progress, signal });
    } finally {
      release();
    }
  } catch (error) {
    throw fileFailure(error);
  }
}

/**
 * All that can be wrong is found before minutes are spent on the first step.
 *
 * @param {Project} project
 * @param {Step[]} steps  those to be made
 */
async function checkMachine(project, steps) {
  const needs = new Set(steps.flatMap((step) => step.needs));
  const machine = { env: toolEnvironment(), system: process.platform, osRelease: osRelease() };
  await checkPrerequisites([...needs], machine);
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0);
  await checkDiskSpace(project.root, bytes);
}

/** @returns {string} empty where there is none, as on macOS */
function osRelease() {
  const path = '/etc/os-release';
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
