// @ts-check
// Folders that the setup makes. Each is made beside its place and renamed into it, with a stamp inside that says what it was
// made from. So one whose stamp is right is whole, and after a run that was killed the next one goes on.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { takeLock } from './lock.mjs';
import { freeBytes, gigabytes, showProgress } from './progress.mjs';
import { runTool, SetupError } from './tool.mjs';
import { pipEnvironment } from './tool-environment.mjs';

/** @typedef {import('./project.mjs').Project} Project */
/**
 * @typedef {object} Step
 * @property {string} title
 * @property {string} place  where the folder belongs
 * @property {Record<string, string | readonly string[]>} stamp  all that it is made from: when that changes it is made again
 * @property {number} bytes  taken on the disk, about, while it is made
 * @property {(staging: string) => Promise<string>} make  given an empty folder, returns the path of the finished one in it
 */

const STAMP = '.labelqueue-stamp.json';

/** @param {Step['stamp']} stamp */
const textOf = (stamp) => `${JSON.stringify(stamp, null, 2)}\n`;

/** @param {Step} step */
export function isUpToDate({ place, stamp }) {
  const path = join(place, STAMP);
  return existsSync(path) && readFileSync(path, 'utf8') === textOf(stamp);
}

/**
 * Makes what is missing, in the given order, one process at a time, and shows on standard error how far it is.
 *
 * @type {(project: Project, steps: Step[]) => Promise<void>}
 * @throws {SetupError} when the user has to fix something first
 */
export async function prepareMissing(project, steps) {
  if (steps.every(isUpToDate)) return;
  try {
    await assertMachine();
    await mkdir(project.toolchain, { recursive: true });
    const waiting = () => process.stderr.write('setup: waiting for another setup of this folder\n');
    const release = await takeLock(join(project.toolchain, 'setup.lock'), waiting);
    // Another setup may have made some, while this one waited.
    const missing = steps.filter((step) => !isUpToDate(step));
    await makeAll(project, missing).finally(release);
  } catch (error) {
    const isOfFileSystem = error instanceof Error && 'syscall' in error;
    throw isOfFileSystem ? new SetupError(error.message, { cause: error }) : error;
  }
}

/** @throws {SetupError} on Alpine and other musl systems, and where pip is missing, which is used long after npm */
async function assertMachine() {
  const { header } = /** @type {{ header: Record<string, unknown> }} */ (process.report.getReport());
  if (process.platform === 'linux' && !header['glibcVersionRuntime']) {
    throw new SetupError('expected a Linux with glibc, such as Debian or Fedora; this one has another C library.');
  }
  const failure = 'pip is missing (Debian: apt install python3-pip)';
  await runTool(['python3', '-m', 'pip', '--version'], { failure, env: pipEnvironment(process.env) });
}

/** @type {(project: Project, steps: Step[]) => Promise<void>} */
async function makeAll({ root, toolchain }, steps) {
  const needed = steps.reduce((sum, { bytes }) => sum + bytes, 0);
  const free = freeBytes(root);
  if (free < needed) throw new SetupError(`${gigabytes(needed)} are needed in ${root}, ${gigabytes(free)} are free.`);
  const staging = join(toolchain, 'unfinished');
  try {
    // What setups that were killed have left.
    await removeTree(staging);
    await mkdir(staging);
    for (const step of steps) {
      await showProgress(step.title, { folder: root, bytes: step.bytes }, () => make(step, staging));
    }
  } finally {
    await removeTree(staging);
  }
}

/** @type {(step: Step, parent: string) => Promise<void>} */
async function make({ place, stamp, make: makeIn }, parent) {
  const staging = await mkdtemp(join(parent, 'step-'));
  const made = await makeIn(staging);
  await writeFile(join(made, STAMP), textOf(stamp));
  await mkdir(dirname(place), { recursive: true });
  if (existsSync(place)) await rename(place, join(staging, 'trash'));
  await rename(made, place);
  await removeTree(staging);
}

/** @param {string} folder  in which tools that were killed may still be writing, hence the retries */
async function removeTree(folder) {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
