// @ts-check

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npmCi } from './npm-ci.mjs';

/** @typedef {import('../step.mjs').Workshop} Workshop */
/** @typedef {{ package: string, version: string, integrity: string }} PinnedPackage */

/**
 * Installs packages into `node_modules` of the workshop's folder, and nothing that they depend on. npm checks a package
 * against the hash in a lock file, so one is written for it.
 *
 * @param {Workshop} workshop
 * @param {readonly PinnedPackage[]} pinned
 * @param {object} options
 * @param {string} options.name  of the log file
 * @param {string} options.failure
 * @param {string} options.node  the Node that npm is to run on
 * @param {boolean} [options.anyPlatform]  whether they may be for another system or processor than this machine's
 * @returns {Promise<string>} the path of `node_modules`
 */
export async function installPinned(workshop, pinned, { name, failure, node, anyPlatform = false }) {
  const dependencies = Object.fromEntries(pinned.map((wanted) => [wanted.package, wanted.version]));
  const packages = pinned.map(({ package: path, version, integrity }) => [
    `node_modules/${path}`,
    { version, integrity },
  ]);
  const lock = { lockfileVersion: 3, packages: { '': { dependencies }, ...Object.fromEntries(packages) } };
  await writeFile(join(workshop.folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(join(workshop.folder, 'package-lock.json'), JSON.stringify(lock));
  // npm knows --cpu and --os since version 10 only.
  const more = anyPlatform ? ['--force'] : [];
  await npmCi(workshop, { name, failure, folder: workshop.folder, node, more });
  return join(workshop.folder, 'node_modules');
}
