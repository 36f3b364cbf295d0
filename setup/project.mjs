// @ts-check

import { join, relative } from 'node:path';

/**
 * Where the set-up puts things. The toolchain outlives node_modules: a new `npm ci` neither fetches nor
 * compiles anything again.
 *
 * @typedef {object} Project
 * @property {string} root
 * @property {string} nodeModules
 * @property {string} toolchain
 * @property {string} compileCache where Node keeps what it made of the sources
 */

/**
 * @param {string} root
 * @returns {Project}
 */
export function projectAt(root) {
  return {
    root,
    nodeModules: join(root, 'node_modules'),
    toolchain: join(root, '.labelqueue', 'toolchain'),
    compileCache: join(root, '.labelqueue', 'compile-cache'),
  };
}

/**
 * @param {Project} project
 * @param {string} path
 * @returns {string} the path as the user sees it from the project's folder
 */
export function shown(project, path) {
  return relative(project.root, path);
}
