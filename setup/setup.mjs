// @ts-check

import { fileURLToPath } from 'node:url';
import { machineCompiler, tfjsBinding, zigCompiler } from './binding.mjs';
import { npmPackages } from './npm.mjs';
import { HERE } from './pinned.mjs';
import { isUpToDate, prepareMissing } from './prepare.mjs';
import { projectAt } from './project.mjs';
import { SetupError } from './tool.mjs';
import { libtensorflow, zig } from './wheels.mjs';

/** Sets up the project that this folder belongs to. On failure it prints one message and sets the exit code. */
export async function setUp() {
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
