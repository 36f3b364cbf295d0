// @ts-check

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where the setup puts things. The toolchain outlives node_modules: a new `npm ci` neither fetches nor compiles it again.
 *
 * @typedef {{ root: string, nodeModules: string, toolchain: string }} Project
 */

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, dev?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/** @type {(root: string) => Project} */
export function projectAt(root) {
  return { root, nodeModules: join(root, 'node_modules'), toolchain: join(root, '.labelqueue', 'toolchain') };
}

/** By path such as `node_modules/sharp`. @type {(project: Project) => Record<string, LockedPackage>} */
export function lockedPackages({ root }) {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
}

/** @param {string} path */
export function sha256Of(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
