// @ts-check

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { cxxCompiler } from '../prerequisites.mjs';

/** @typedef {import('../step.mjs').Step} Step */

const SOURCES = 'node_modules/@tensorflow/tfjs-node';
const NODE_HEADERS = 'node_modules/node-api-headers';
/** Compiled with tfjs-node's own sources. */
const QUIET = 'setup/steps/quiet-tensorflow.cc';
const LIBTENSORFLOW = '.labelqueue/toolchain/libtensorflow';

/**
 * The native half of tfjs-node, compiled against the libtensorflow of this set-up. It uses Node-API
 * only, so one binary serves every Node.
 *
 * @param {object} options
 * @param {import('../project.mjs').Project} options.project
 * @param {import('../package-lock.mjs').PackageLock} options.lock
 * @param {Step} options.libtensorflow
 * @param {import('../pinned.mjs').Wheel} options.wheel
 * @param {{ os: string, cpu: string }} options.machine
 * @param {string | undefined} options.cxx  as in the variable CXX: a command, perhaps with a wrapper such as ccache
 * @returns {Step}
 */
export function tfjsBinding({ project, lock, libtensorflow, wheel, machine, cxx }) {
  const compiler = cxx?.trim() ? cxx.trim().split(/\s+/) : [machine.os === 'darwin' ? 'clang++' : 'g++'];
  const args = compilerArguments(machine.os, wheel.libraries);
  return {
    title: 'TensorFlow binding',
    place: join(project.toolchain, 'tfjs-binding'),
    stamp: {
      ...machine,
      sources: lock.packages[SOURCES]?.integrity ?? '',
      headers: lock.packages[NODE_HEADERS]?.integrity ?? '',
      libtensorflow: JSON.stringify(libtensorflow.stamp),
      arguments: args,
      quiet: createHash('sha256')
        .update(readFileSync(join(project.root, QUIET)))
        .digest('hex'),
    },
    needs: [cxxCompiler(compiler)],
    bytes: 50e6,
    async make(workshop) {
      workshop.report('compiling');
      const made = join(workshop.folder, 'tfjs-binding');
      await mkdir(made);
      await workshop.run([...compiler, ...args, '-o', relative(project.root, join(made, 'tfjs_binding.node'))], {
        name: 'tfjs-binding',
        failure: `${compiler.join(' ')} could not compile the TensorFlow binding`,
        cwd: project.root,
      });
      return made;
    },
  };
}

/**
 * @param {string} os
 * @param {string[]} libraries
 * @returns {string[]} with paths from the project's folder, so that they are the same wherever that is
 */
function compilerArguments(os, libraries) {
  const kind = os === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-fPIC'];
  return [
    '-std=c++17',
    '-O2',
    '-DNAPI_VERSION=8',
    ...kind,
    `-I${LIBTENSORFLOW}/include`,
    `-I${NODE_HEADERS}/include`,
    `${SOURCES}/binding/tfjs_backend.cc`,
    `${SOURCES}/binding/tfjs_binding.cc`,
    QUIET,
    ...libraries.map((library) => `${LIBTENSORFLOW}/lib/${library}`),
    ...libraryPath(os),
  ];
}

/**
 * Where the binding finds the libraries, from its own folder: in the toolchain, and right beside it for
 * whoever ships the three together.
 *
 * @param {string} os
 */
function libraryPath(os) {
  const here = os === 'darwin' ? '@loader_path' : '$ORIGIN';
  return [`-Wl,-rpath,${here}/../libtensorflow/lib`, `-Wl,-rpath,${here}`];
}
