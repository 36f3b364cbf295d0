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
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {string | string[]} [os]
 * @property {string | string[]} [cpu]
 * @property {string | string[]} [libc]
 */

/**
 * @param {string} path
 * @returns {PackageLock}
 * @throws {SetupError} when there is none
 */
export function readPackageLock(path) {
  if (!existsSync(path)) throw new SetupError(`${path} is missing: this is not a whole checkout of labelqueue.`);
  const text = readFileSync(path, 'utf8');
  return { sha256: createHash('sha256').update(text).digest('hex'), packages: JSON.parse(text).packages };
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
