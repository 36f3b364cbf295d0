// @ts-check

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The machine's own C++ compiler.
 *
 * @param {string} os  of `process.platform`
 * @param {NodeJS.ProcessEnv} env  CXX names another one: a command, perhaps with a wrapper such as ccache
 * @returns {{ command: string[], isThere: boolean }} what CXX names is taken to be there
 */
export function ownCompiler(os, { CXX, PATH = '' }) {
  const named = CXX?.trim();
  if (named) return { command: named.split(/\s+/), isThere: true };
  const name = os === 'darwin' ? 'clang++' : 'g++';
  return { command: [name], isThere: PATH.split(delimiter).some((folder) => existsSync(join(folder, name))) };
}
