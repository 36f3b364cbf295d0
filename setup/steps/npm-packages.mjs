// @ts-check

import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { binaryPackages } from '../package-lock.mjs';
import { NPM } from '../prerequisites.mjs';
import { SetupError } from '../setup-error.mjs';
import { npmCi } from './npm-ci.mjs';

/** @typedef {import('../step.mjs').Step} Step */
/** @typedef {import('../step.mjs').Workshop} Workshop */

/** The rest of the toolchain as tfjs-node looks for it: link in node_modules → place in the project. */
const LINKS = {
  '@tensorflow/tfjs-node/deps': '.labelqueue/toolchain/libtensorflow',
  '@tensorflow/tfjs-node/lib/napi-v8': '.labelqueue/toolchain/tfjs-binding',
};

/**
 * `npm ci`, into a folder of its own: npm works in place, and killed half-way it would leave a
 * node_modules that looks complete.
 *
 * @param {object} options
 * @param {import('../project.mjs').Project} options.project
 * @param {import('../package-lock.mjs').PackageLock} options.lock
 * @param {{ os: string, cpu: string }} options.machine
 * @param {string} options.node  the Node that npm is to run on
 * @returns {Step}
 */
export function npmPackages({ project, lock, machine, node }) {
  return {
    title: 'npm packages',
    place: project.nodeModules,
    stamp: { lock: lock.sha256, ...machine, links: Object.entries(LINKS).flat() },
    needs: [NPM],
    bytes: 1000e6,
    async make(workshop) {
      workshop.report('fetching');
      for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
        if (existsSync(join(project.root, file))) await copyFile(join(project.root, file), join(workshop.folder, file));
      }
      await npmCi(workshop, {
        name: 'npm-packages',
        failure: 'npm could not install the packages',
        folder: workshop.folder,
        node,
      });
      refuseIncomplete(workshop.folder, binaryPackages(lock, machine));
      const made = join(workshop.folder, 'node_modules');
      await linkToolchain(made);
      return made;
    },
  };
}

/**
 * @param {string} folder
 * @param {string[]} expected  paths in the folder
 */
function refuseIncomplete(folder, expected) {
  const missing = expected.filter((path) => !existsSync(join(folder, path)));
  if (missing.length === 0) return;
  throw new SetupError(
    `npm left out packages that this platform needs, probably because the network failed:\n\n` +
      `${missing.map((path) => `  ${path}\n`).join('')}\nRun the command again.`,
  );
}

/** @param {string} nodeModules  beside which the toolchain will be, later on */
async function linkToolchain(nodeModules) {
  for (const [link, target] of Object.entries(LINKS)) {
    const upToRoot = link.split('/').map(() => '..');
    await mkdir(dirname(join(nodeModules, link)), { recursive: true });
    await symlink(join(...upToRoot, target), join(nodeModules, link));
  }
}
