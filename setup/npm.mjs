// @ts-check

import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HERE } from './pinned.mjs';
import { lockedPackages, sha256Of } from './project.mjs';
import { runTool, SetupError } from './tool.mjs';
import { NPM_CI, npmEnvironment } from './tool-environment.mjs';

/** @typedef {import('./project.mjs').Project} Project */

/** The rest of the toolchain as tfjs-node looks for it: link in node_modules, and where it points to. */
const LINKS = {
  '@tensorflow/tfjs-node/deps': '../../../.labelqueue/toolchain/libtensorflow',
  '@tensorflow/tfjs-node/lib/napi-v8': '../../../../.labelqueue/toolchain/tfjs-binding',
};

/** `npm ci` of the project. It brings Node 24 along. @type {(project: Project) => import('./prepare.mjs').Step} */
export function npmPackages(project) {
  const lock = sha256Of(join(project.root, 'package-lock.json'));
  // The npm package has a lock file without them.
  const hasDevelopment = Object.values(lockedPackages(project)).some(({ dev }) => dev);
  return {
    title: 'npm packages',
    place: project.nodeModules,
    stamp: { lock, platform: HERE, links: Object.entries(LINKS).flat() },
    bytes: hasDevelopment ? 1.7e9 : 0.9e9,
    async make(staging) {
      const made = join(staging, 'node_modules');
      for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
        if (existsSync(join(project.root, file))) await copyFile(join(project.root, file), join(staging, file));
      }
      await npmCi(staging, 'npm could not install the packages');
      assertComplete(staging, lockedPackages(project));
      for (const [link, target] of Object.entries(LINKS)) {
        await mkdir(dirname(join(made, link)), { recursive: true });
        await symlink(target, join(made, link));
      }
      return made;
    },
  };
}

/**
 * npm passes over an optional package that it cannot fetch, such as sharp's binaries, and still reports success.
 *
 * @type {(folder: string, packages: ReturnType<typeof lockedPackages>) => void}
 */
function assertComplete(folder, packages) {
  const expected = Object.entries(packages).filter(
    ([, { optional, os, cpu, libc = ['glibc'] }]) =>
      optional && os?.includes(process.platform) && cpu?.includes(process.arch) && libc.includes('glibc'),
  );
  const missing = expected.map(([path]) => path).filter((path) => !existsSync(join(folder, path)));
  if (missing.length === 0) return;
  throw new SetupError(`npm left out packages, probably because the network failed: ${missing.join(', ')}.`);
}

/**
 * Installs what the package-lock.json of a folder says, with the hashes checked. Neither a variable such as NODE_ENV nor the
 * user's configuration changes what comes out.
 *
 * @type {(cwd: string, failure: string, ...moreArguments: string[]) => Promise<void>}
 */
export async function npmCi(cwd, failure, ...more) {
  await runTool(['npm', ...NPM_CI, ...more], { failure, cwd, env: npmEnvironment(process.env) });
}
