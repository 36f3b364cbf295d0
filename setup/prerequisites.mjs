// @ts-check
// The tools of the machine that the set-up cannot bring along.

import { execFile } from 'node:child_process';
import { SetupError } from './setup-error.mjs';

/**
 * @typedef {object} Prerequisite
 * @property {string} name
 * @property {string} purpose
 * @property {string[]} probe  command that succeeds where it is there
 * @property {string} debian  package
 * @property {string} fedora  package
 * @property {string} macos  command that installs it
 */

/** @type {Prerequisite} */
export const NPM = {
  name: 'npm',
  purpose: 'fetches the npm packages',
  probe: ['npm', '--version'],
  debian: 'npm',
  fedora: 'nodejs-npm',
  macos: 'brew install node@24',
};

/** @type {Prerequisite} */
export const PYTHON = {
  name: 'python3',
  purpose: 'unpacks libtensorflow',
  probe: ['python3', '-c', 'import zipfile, zlib'],
  debian: 'python3',
  fedora: 'python3',
  macos: 'xcode-select --install',
};

/** @type {Prerequisite} */
export const PIP = {
  name: 'pip for python3',
  purpose: 'fetches libtensorflow',
  probe: ['python3', '-m', 'pip', '--version'],
  debian: 'python3-pip',
  fedora: 'python3-pip',
  macos: 'xcode-select --install',
};

/**
 * @param {string[]} compiler  command, with what has to come before its arguments
 * @returns {Prerequisite}
 */
export function cxxCompiler(compiler) {
  return {
    name: compiler.join(' '),
    purpose: 'compiles the TensorFlow binding (CXX names another compiler)',
    probe: [...compiler, '--version'],
    debian: 'g++',
    fedora: 'gcc-c++',
    macos: 'xcode-select --install',
  };
}

/**
 * @param {Prerequisite[]} prerequisites
 * @param {object} machine
 * @param {NodeJS.ProcessEnv} machine.env
 * @param {string} machine.system  of `process.platform`
 * @param {string} machine.osRelease  content of /etc/os-release, empty where there is none
 * @throws {SetupError} that names all that are missing, and the command that installs them
 */
export async function checkPrerequisites(prerequisites, { env, system, osRelease }) {
  const faults = await Promise.all(prerequisites.map(({ probe }) => faultOf(probe, env)));
  const missing = prerequisites.filter((_, index) => faults[index]);
  if (missing.length === 0) return;
  const list = prerequisites
    .map(({ name, purpose }, index) => `  ${name}: ${purpose}\n    found: ${faults[index]}`)
    .filter((_, index) => faults[index]);
  throw new SetupError(
    `this machine lacks what the set-up needs.\n\n${list.join('\n')}\n\n` +
      `${installing(missing, system, osRelease)}\nThen run the command again.`,
  );
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} undefined when the command succeeds
 */
function faultOf([file = '', ...args], env) {
  return new Promise((resolve) => {
    execFile(file, args, { env }, (error, _stdout, stderr) => {
      if (!error) resolve(undefined);
      else if (error.code === 'ENOENT') resolve(`no ${file} on PATH`);
      else resolve(`"${[file, ...args].join(' ')}" says: ${stderr.trim().split('\n').at(-1) || error.message}`);
    });
  });
}

/**
 * @param {Prerequisite[]} missing
 * @param {string} system
 * @param {string} osRelease
 */
function installing(missing, system, osRelease) {
  const debian = `  sudo apt-get install ${unique(missing.map((wanted) => wanted.debian)).join(' ')}`;
  const fedora = `  sudo dnf install ${unique(missing.map((wanted) => wanted.fedora)).join(' ')}`;
  const macos = unique(missing.map((wanted) => `  ${wanted.macos}`)).join('\n');
  if (system === 'darwin') return `To install:\n${macos}`;
  const family = /^ID(?:_LIKE)?=.*\b(?:(debian|ubuntu)|fedora|rhel)\b/m.exec(osRelease);
  if (family) return `To install:\n${family[1] ? debian : fedora}`;
  return `To install, on Debian or Ubuntu:\n${debian}\nor on Fedora:\n${fedora}`;
}

/** @param {string[]} items */
function unique(items) {
  return [...new Set(items)];
}
