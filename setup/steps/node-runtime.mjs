// @ts-check

import { join } from 'node:path';
import { NODE } from '../pinned.mjs';
import { platformNamed } from '../platform.mjs';
import { NPM } from '../prerequisites.mjs';
import { SetupError } from '../setup-error.mjs';
import { installPinned } from './pinned-packages.mjs';

/** @typedef {import('../step.mjs').Step} Step */
/** @typedef {import('../project.mjs').Project} Project */

/**
 * The Node that labelqueue runs on: this one if it will do, else one fetched from npm.
 *
 * @param {object} options
 * @param {Project} options.project
 * @param {import('../platform.mjs').Platform} options.platform
 * @param {{ version: string, path: string }} options.current
 * @returns {{ path: string, step: Step | undefined }}
 * @throws {SetupError} where npm carries no Node 24
 */
export function nodeRuntime({ project, platform, current }) {
  if (willDo(current.version)) return { path: current.path, step: undefined };
  if (!platform.node) {
    throw new SetupError(
      `labelqueue runs on Node 24, from ${NODE.acceptedFrom} on; this is ${current.version} (${current.path}).\n\n` +
        'Install it with:\n  brew install node@24\nPut it first in PATH and run the command again.',
    );
  }
  const place = join(project.toolchain, 'node');
  return { path: join(place, 'bin', 'node'), step: fetchNode(platform.node, place, current.path) };
}

/**
 * The pinned Node of a platform, whatever this process runs on: what machines run on that this one makes packages for.
 *
 * @param {Project} project
 * @param {string} platform  such as `linux-arm64`
 * @returns {Step}
 * @throws {SetupError} where npm carries no Node 24
 */
export function pinnedNode(project, platform) {
  const { node } = platformNamed(platform);
  if (!node) throw new SetupError(`expected a platform that npm carries Node ${NODE.version} for, got ${platform}`);
  const isHere = platform === `${process.platform}-${process.arch}`;
  const folder = isHere ? project.toolchain : join(project.toolchain, 'lambda', platform);
  return fetchNode(node, join(folder, 'node'), process.execPath);
}

/** @param {string} version  such as v24.3.0 */
function willDo(version) {
  const [major, minor = 0] = version.replace('v', '').split('.').map(Number);
  const [wantedMajor, leastMinor = 0] = NODE.acceptedFrom.split('.').map(Number);
  return major === wantedMajor && minor >= leastMinor;
}

/**
 * @param {{ package: string, integrity: string }} pinned
 * @param {string} place
 * @param {string} currentNode
 * @returns {Step}
 */
function fetchNode(pinned, place, currentNode) {
  return {
    title: `Node ${NODE.version}`,
    place,
    stamp: { ...pinned, version: NODE.version },
    needs: [NPM],
    bytes: 250e6,
    async make(workshop) {
      workshop.report('fetching');
      const nodeModules = await installPinned(workshop, [{ ...pinned, version: NODE.version }], {
        name: 'node',
        failure: `npm could not fetch Node ${NODE.version}`,
        node: currentNode,
      });
      return join(nodeModules, pinned.package);
    },
  };
}
