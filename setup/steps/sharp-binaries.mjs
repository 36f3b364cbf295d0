// @ts-check

import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { NPM } from '../prerequisites.mjs';
import { SetupError } from '../setup-error.mjs';
import { installPinned } from './pinned-packages.mjs';

/** @typedef {import('../step.mjs').Step} Step */
/** @typedef {import('../package-lock.mjs').PackageLock} PackageLock */

/**
 * sharp's packages with native code for another machine than this one: `node_modules/`.
 *
 * @param {object} options
 * @param {PackageLock} options.lock  pins them for all machines
 * @param {string} options.platform  of the machine that they are for, such as `linux-arm64`
 * @param {string} options.place
 * @param {string} options.node  the Node that npm is to run on
 * @returns {Step}
 * @throws {SetupError} when the lock file lacks one
 */
export function sharpBinaries({ lock, platform, place, node }) {
  const pinned = [`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`].map((name) => pinnedPackage(lock, name));
  return {
    title: `sharp for ${platform}`,
    place,
    stamp: { packages: pinned.map(({ integrity }) => integrity) },
    needs: [NPM],
    bytes: 50e6,
    async make(workshop) {
      workshop.report('fetching');
      const nodeModules = await installPinned(workshop, pinned, {
        name: 'sharp-binaries',
        failure: `npm could not fetch sharp for ${platform}`,
        node,
        anyPlatform: true,
      });
      const made = join(workshop.folder, 'sharp');
      await mkdir(made);
      await rename(nodeModules, join(made, 'node_modules'));
      return made;
    },
  };
}

/**
 * @param {PackageLock} lock
 * @param {string} name
 */
function pinnedPackage(lock, name) {
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version && integrity) return { package: name, version, integrity };
  throw new SetupError(`package-lock.json: expected ${name} with its version and hash, it is not there.`);
}
