// @ts-check

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { GLIBC_VERSION, platformNamed } from './pinned.mjs';
import { lockedPackages, sha256Of } from './project.mjs';
import { runTool } from './tool.mjs';

/** @typedef {import('./prepare.mjs').Step} Step */
/** @typedef {import('./project.mjs').Project} Project */

const TFJS_NODE = 'node_modules/@tensorflow/tfjs-node';
const NODE_HEADERS = 'node_modules/node-api-headers';
/** Compiled with tfjs-node's own sources. */
const QUIET = 'shared/runtime/quiet-tensorflow.cc';

/** CXX, perhaps with a wrapper; undefined without g++ on Linux. @type {(from: NodeJS.ProcessEnv) => string[] | undefined} */
export function machineCompiler({ CXX, PATH = '' }) {
  if (CXX) return CXX.trim().split(/\s+/);
  if (process.platform === 'darwin') return ['clang++'];
  return PATH.split(delimiter).some((folder) => existsSync(join(folder, 'g++'))) ? ['g++'] : undefined;
}

/** The command of the compiler that `zig` fetches. @type {(project: Project, platform: string) => string[]} */
export function zigCompiler({ toolchain }, platform) {
  const processor = platform.endsWith('arm64') ? 'aarch64' : 'x86_64';
  return [join(toolchain, 'zig', 'zig'), 'c++', '-target', `${processor}-linux-gnu.${GLIBC_VERSION}`];
}

/**
 * The native half of tfjs-node, compiled against libtensorflow. It uses Node-API only, so one binary serves every Node. The
 * compiler's command is not part of the stamp, as the machine's compilers make the same.
 *
 * @type {(project: Project, options: { platform: string, tensorflow: Step, compiler: string[] }) => Step}
 */
export function tfjsBinding(project, { platform, tensorflow, compiler }) {
  const args = compilerArguments(relative(project.root, tensorflow.place), platform);
  const packages = lockedPackages(project);
  return {
    title: `TensorFlow binding for ${platform}`,
    place: join(project.toolchain, 'tfjs-binding'),
    stamp: {
      platform,
      sources: packages[TFJS_NODE]?.integrity ?? '',
      headers: packages[NODE_HEADERS]?.integrity ?? '',
      libtensorflow: JSON.stringify(tensorflow.stamp),
      arguments: args,
      quiet: sha256Of(join(project.root, QUIET)),
    },
    bytes: 200e6,
    async make(staging) {
      const made = join(staging, 'tfjs-binding');
      await mkdir(made);
      const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: staging, ZIG_LOCAL_CACHE_DIR: staging };
      const failure = `${compiler[0]} could not compile the TensorFlow binding`;
      await runTool([...compiler, ...args, '-o', join(made, 'tfjs_binding.node')], { failure, cwd: project.root, env });
      return made;
    },
  };
}

/** With paths from the project, so that it may be anywhere. @type {(tensorflow: string, platform: string) => string[]} */
function compilerArguments(tensorflow, platform) {
  const isMac = platform.startsWith('darwin');
  // Where the binding finds the libraries, from its own folder: in the toolchain, and beside it in a package.
  const here = isMac ? '@loader_path' : '$ORIGIN';
  return [
    ...['-std=c++17', '-O2', '-DNAPI_VERSION=8'],
    ...(isMac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-fPIC']),
    ...[`-I${tensorflow}/include`, `-I${NODE_HEADERS}/include`],
    ...[`${TFJS_NODE}/binding/tfjs_backend.cc`, `${TFJS_NODE}/binding/tfjs_binding.cc`, QUIET],
    ...platformNamed(platform).libraries.map((library) => `${tensorflow}/lib/${library}`),
    ...[`-Wl,-rpath,${here}/../libtensorflow/lib`, `-Wl,-rpath,${here}`],
  ];
}
