// @ts-check

import { join } from 'node:path';
import { readPackageLock } from './package-lock.mjs';
import { platformNamed } from './platform.mjs';
import { libtensorflow } from './steps/libtensorflow.mjs';
import { nodeRuntime } from './steps/node-runtime.mjs';
import { npmPackages } from './steps/npm-packages.mjs';
import { tfjsBinding } from './steps/tfjs-binding.mjs';

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
  const binding = tfjsBinding({
    project,
    lock,
    libtensorflow: tensorflow,
    wheel: platform.wheel,
    machine,
    cxx: process.env['CXX'],
  });
  return { node: node.path, steps: [...(node.step ? [node.step] : []), packages, tensorflow, binding] };
}
