// @ts-check

import { delimiter, dirname } from 'node:path';

/**
 * The environment that tools run in. The npm that came along with this Node is found even where PATH
 * lacks it; all else is found as the user would find it.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment() {
  return withPath([process.env['PATH'], dirname(process.execPath)]);
}

/**
 * npm is a script for the first `node` on PATH. On one that is too old for some package it would warn.
 *
 * @param {string} node  the Node that npm is to run on
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(node) {
  return withPath([dirname(node), process.env['PATH'], dirname(process.execPath)]);
}

/** @param {(string | undefined)[]} folders */
function withPath(folders) {
  return { ...process.env, PATH: folders.filter(Boolean).join(delimiter) };
}
