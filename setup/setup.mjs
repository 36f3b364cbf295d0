// @ts-check

import { fileURLToPath } from 'node:url';
import { machineCompiler, tfjsBinding, zigCompiler } from './binding.mjs';
import { npmPackages } from './npm.mjs';
import { HERE } from './pinned.mjs';
import { isUpToDate, prepareMissing } from './prepare.mjs';
import { projectAt } from './project.mjs';
import { SetupError } from './tool.mjs';
import { libtensorflow, zig } from './wheels.mjs';

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** Sets up the project that this folder belongs to. On failure it prints one message and sets the exit code. */
export async function setUp() {
  for (const signal of SIGNALS) process.once(signal, () => interrupted(signal));
  try {
    const project = projectAt(fileURLToPath(new URL('..', import.meta.url)));
    await prepareMissing(project, setupSteps(project));
  } catch (error) {
    const { message, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!(error instanceof SetupError || syscall)) throw error;
    process.stderr.write(`labelqueue setup: ${message}\n`);
    process.exitCode = 1;
  }
}

/** Ends this process as the signal would have done. @type {(signal: NodeJS.Signals) => void} */
function interrupted(signal) {
  const lineStart = process.stderr.isTTY ? '\r\x1b[K' : '';
  process.stderr.write(`${lineStart}setup: interrupted; finished steps are kept, start again to continue\n`);
  process.kill(process.pid, signal);
}

/**
 * @param {import('./project.mjs').Project} project
 * @returns {import('./prepare.mjs').Step[]} in the order in which they build on each other
 * @throws {SetupError} on a platform where labelqueue does not run
 */
export function setupSteps(project) {
  const tensorflow = libtensorflow(project, HERE);
  const own = machineCompiler(process.env);
  const binding = tfjsBinding(project, { platform: HERE, tensorflow, compiler: own ?? zigCompiler(project, HERE) });
  // A compiler that was fetched is of no use once its work is done.
  const fetched = own || isUpToDate(binding) ? [] : [zig(project)];
  return [npmPackages(project), tensorflow, ...fetched, binding];
}
