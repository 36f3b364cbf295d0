// @ts-check

import { join } from 'node:path';
import { ownCompiler } from './own-compiler.mjs';
import { readPackageLock } from './package-lock.mjs';
import { ZIG_WHEELS } from './pinned-zig.mjs';
import { platformNamed } from './platform.mjs';
import { isMade } from './step.mjs';
import { libtensorflow } from './steps/libtensorflow.mjs';
import { nodeRuntime } from './steps/node-runtime.mjs';
import { npmPackages } from './steps/npm-packages.mjs';
import { tfjsBinding } from './steps/tfjs-binding.mjs';
import { zig } from './steps/zig.mjs';

/**
 * The set-up of a project, in the order in which its steps build on each other.
 *
 * @param {import('./project.mjs').Project} project
 * @returns {{ node: string, steps: import('./step.mjs').Step[] }} `node` is the Node to run when all are made
 * @throws {import('./setup-error.mjs').SetupError} on a platform where labelqueue does not run
 */
export function setUpOf(project) {
  const machine = { os: process.platform, cpu: process.arch };
  const platform = platformNamed(`${machine.os}-${machine.cpu}`);
  const lock = readPackageLock(join(project.root, 'package-lock.json'));
  const current = { version: process.version, path: process.execPath };

  const node = nodeRuntime({ project, platform, current });
  const packages = npmPackages({ project, lock, machine, node: node.path });
  const tensorflow = libtensorflow({ project, wheel: platform.wheel });
  const compiler = compilerOf(project, machine);
  const binding = tfjsBinding({ project, lock, libtensorflow: tensorflow, wheel: platform.wheel, machine, compiler });
  // A compiler that was fetched is of no use once its work is done.
  const fetched = Array.isArray(compiler) || isMade(binding) ? [] : [compiler];
  return { node: node.path, steps: [...(node.step ? [node.step] : []), packages, tensorflow, ...fetched, binding] };
}

/**
 * The machine's own compiler, or Zig where there is none.
 *
 * @param {import('./project.mjs').Project} project
 * @param {{ os: string, cpu: string }} machine
 * @returns {string[] | import('./step.mjs').Step}
 */
function compilerOf(project, { os, cpu }) {
  const { command, isThere } = ownCompiler(os, process.env);
  const platform = `${os}-${cpu}`;
  return isThere || !Object.hasOwn(ZIG_WHEELS, platform) ? command : zig({ project, platform });
}
