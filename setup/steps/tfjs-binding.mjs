// @ts-check

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { toolEnvironment } from '../environment.mjs';
import { GLIBC_VERSION } from '../pinned-zig.mjs';
import { cxxCompiler } from '../prerequisites.mjs';

/** @typedef {import('../step.mjs').Step} Step */

const SOURCES = 'node_modules/@tensorflow/tfjs-node';
const NODE_HEADERS = 'node_modules/node-api-headers';
/** Compiled with tfjs-node's own sources. */
const QUIET = 'setup/steps/quiet-tensorflow.cc';

/**
 * What a binding is made from.
 *
 * @typedef {object} BindingSources
 * @property {import('../project.mjs').Project} project
 * @property {import('../package-lock.mjs').PackageLock} lock
 * @property {Step} libtensorflow  for the machine that the binding is for
 * @property {import('../pinned.mjs').Wheel} wheel  that libtensorflow is from
 * @property {{ os: string, cpu: string }} machine  that the binding is for
 */

/**
 * The native half of tfjs-node, compiled against the libtensorflow of this set-up. It uses Node-API
 * only, so one binary serves every Node.
 *
 * @param {BindingSources & { compiler: string[] | Step }} options  the machine's own, as a command, or Zig
 * @returns {Step}
 */
export function tfjsBinding({ compiler, ...sources }) {
  const place = join(sources.project.toolchain, 'tfjs-binding');
  // Whatever it was compiled with, it is the same.
  const step = { title: 'TensorFlow binding', place, stamp: stampOf(sources) };
  if (!Array.isArray(compiler)) return { ...step, ...compiledByZig(compiler, sources) };
  return {
    ...step,
    needs: [cxxCompiler(compiler)],
    bytes: 50e6,
    make: (workshop) => compiled(workshop, sources, { compiler, name: compiler.join(' ') }),
  };
}

/** What Zig calls processors. @type {Record<string, string>} */
const ZIG_PROCESSORS = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * The same for Lambda's system, which may be of another architecture than this machine, and has an older glibc than many.
 *
 * @param {BindingSources & { zig: Step, place: string }} options
 * @returns {Step}
 */
export function tfjsBindingForLambda({ zig, place, ...sources }) {
  const target = zigTarget(sources.machine);
  return {
    title: `TensorFlow binding for ${target}`,
    place,
    stamp: { ...stampOf(sources), target, zig: JSON.stringify(zig.stamp) },
    ...compiledByZig(zig, sources),
  };
}

/** @param {{ cpu: string }} machine */
function zigTarget({ cpu }) {
  return `${ZIG_PROCESSORS[cpu]}-linux-gnu.${GLIBC_VERSION}`;
}

/**
 * @param {Step} zig
 * @param {BindingSources} sources
 * @returns {Pick<Step, 'needs' | 'bytes' | 'make'>}
 */
function compiledByZig(zig, sources) {
  return {
    needs: [],
    // Zig compiles the C++ library first.
    bytes: 200e6,
    make(workshop) {
      const [global, local] = ['global', 'local'].map((cache) => join(workshop.folder, 'zig-cache', cache));
      const env = { ...toolEnvironment(), ZIG_GLOBAL_CACHE_DIR: global, ZIG_LOCAL_CACHE_DIR: local };
      const compiler = [join(zig.place, 'zig'), 'c++', '-target', zigTarget(sources.machine)];
      return compiled(workshop, sources, { compiler, name: 'zig', env });
    },
  };
}

/**
 * @param {BindingSources} sources
 * @returns {import('../stamped-folder.mjs').Stamp}
 */
function stampOf(sources) {
  const { project, lock, libtensorflow, machine } = sources;
  return {
    ...machine,
    sources: lock.packages[SOURCES]?.integrity ?? '',
    headers: lock.packages[NODE_HEADERS]?.integrity ?? '',
    libtensorflow: JSON.stringify(libtensorflow.stamp),
    arguments: compilerArguments(sources),
    quiet: createHash('sha256')
      .update(readFileSync(join(project.root, QUIET)))
      .digest('hex'),
  };
}

/**
 * @param {import('../step.mjs').Workshop} workshop
 * @param {BindingSources} sources
 * @param {{ compiler: string[], name: string, env?: NodeJS.ProcessEnv }} tool
 * @returns {Promise<string>} the folder with the binding
 */
async function compiled(workshop, sources, { compiler, name, env }) {
  const { root } = sources.project;
  workshop.report('compiling');
  const made = join(workshop.folder, 'tfjs-binding');
  await mkdir(made);
  const output = relative(root, join(made, 'tfjs_binding.node'));
  await workshop.run([...compiler, ...compilerArguments(sources), '-o', output], {
    name: 'tfjs-binding',
    failure: `${name} could not compile the TensorFlow binding`,
    cwd: root,
    ...(env && { env }),
  });
  return made;
}

/**
 * @param {BindingSources} sources
 * @returns {string[]} with paths from the project's folder, so that they are the same wherever that is
 */
function compilerArguments({ project, libtensorflow, wheel, machine }) {
  const kind = machine.os === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-fPIC'];
  const tensorflow = relative(project.root, libtensorflow.place);
  return [
    '-std=c++17',
    '-O2',
    '-DNAPI_VERSION=8',
    ...kind,
    `-I${tensorflow}/include`,
    `-I${NODE_HEADERS}/include`,
    `${SOURCES}/binding/tfjs_backend.cc`,
    `${SOURCES}/binding/tfjs_binding.cc`,
    QUIET,
    ...wheel.libraries.map((library) => `${tensorflow}/lib/${library}`),
    ...libraryPath(machine.os),
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
