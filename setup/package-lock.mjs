// @ts-check

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { SetupError } from './setup-error.mjs';

/**
 * @typedef {object} PackageLock
 * @property {string} sha256  of the whole file
 * @property {Record<string, LockedPackage>} packages  by path, such as `node_modules/sharp`
 */

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [inBundle]  part of the archive of the package above it, whose hash covers it
 * @property {boolean} [link]  a folder of this checkout
 * @property {boolean} [optional]
 * @property {string | string[]} [os]
 * @property {string | string[]} [cpu]
 * @property {string | string[]} [libc]
 */

/**
 * @param {string} path
 * @returns {PackageLock}
 * @throws {SetupError} when there is none, or when it does not pin each package by its hash
 */
export function readPackageLock(path) {
  if (!existsSync(path)) throw new SetupError(`${path} is missing: this is not a whole checkout of labelqueue.`);
  const text = readFileSync(path, 'utf8');
  const lock = { sha256: createHash('sha256').update(text).digest('hex'), packages: JSON.parse(text).packages };
  refuseUnpinned(path, unpinnedPackages(lock));
  return lock;
}

/**
 * The packages that npm would install unchecked: those without a SHA-512. npm leaves the hash out
 * where it writes an optional package of another platform without asking the registry.
 *
 * @param {Pick<PackageLock, 'packages'>} lock
 * @returns {string[]} their paths
 */
export function unpinnedPackages({ packages }) {
  return Object.entries(packages)
    .filter(([path, { inBundle, link }]) => path !== '' && !inBundle && !link)
    .filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
    .map(([path]) => path);
}

/**
 * @param {string} path  of the lock file
 * @param {string[]} unpinned
 * @throws {SetupError}
 */
function refuseUnpinned(path, unpinned) {
  if (unpinned.length === 0) return;
  throw new SetupError(
    `${path}: expected a SHA-512 ("integrity") for each package, which these lack:\n\n` +
      `${unpinned.map((name) => `  ${name}\n`).join('')}\n` +
      'Remove these entries from the file, then run: npm install --package-lock-only --ignore-scripts',
  );
}

/**
 * The optional packages that carry binaries for a platform, such as sharp's. npm passes over an
 * optional package that it cannot fetch, and still reports success.
 *
 * @param {PackageLock} lock
 * @param {{ os: string, cpu: string }} platform  with glibc, where there is a choice
 * @returns {string[]} their paths
 */
export function binaryPackages(lock, { os, cpu }) {
  return Object.entries(lock.packages)
    .filter(([, entry]) => entry.optional && entry.os && entry.cpu)
    .filter(([, entry]) => allows(entry.os, os) && allows(entry.cpu, cpu) && allows(entry.libc, 'glibc'))
    .map(([path]) => path);
}

/**
 * @param {string | string[] | undefined} accepted
 * @param {string} value
 */
function allows(accepted, value) {
  return accepted === undefined || [accepted].flat().includes(value);
}
