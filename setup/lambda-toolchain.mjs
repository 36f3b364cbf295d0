// @ts-check

import { join } from 'node:path';
import { readPackageLock } from './package-lock.mjs';
import { platformNamed } from './platform.mjs';
import { prepareMissing } from './prepare.mjs';
import { libtensorflow } from './steps/libtensorflow.mjs';
import { sharpBinaries } from './steps/sharp-binaries.mjs';
import { tfjsBindingForLambda } from './steps/tfjs-binding.mjs';
import { zig } from './steps/zig.mjs';

/** @typedef {import('./step.mjs').Step} Step */

/**
 * What the native parts of a package are taken from.
 *
 * @typedef {object} LambdaToolchain
 * @property {Step[]} steps  all that the set-up has not made, in the order in which they build on each other
 * @property {string} libtensorflow  folder with `lib/` and the licences
 * @property {string} binding  folder with `tfjs_binding.node`
 * @property {string} sharp  folder with sharp's native packages in `node_modules/`
 */

/**
 * Beside the set-up of this machine: what a package for Lambda is made from. Of another architecture it takes TensorFlow and
 * sharp as well as the binding, of this machine's the binding alone.
 *
 * @param {import('./project.mjs').Project} project
 * @param {string} platform  `linux-x64` or `linux-arm64`
 * @returns {LambdaToolchain}
 * @throws {import('./setup-error.mjs').SetupError} on a machine that packages are not made on
 */
export function lambdaToolchain(project, platform) {
  const here = `${process.platform}-${process.arch}`;
  const { wheel } = platformNamed(platform);
  const [os = '', cpu = ''] = platform.split('-');
  const lock = readPackageLock(join(project.root, 'package-lock.json'));
  const folder = join(project.toolchain, 'lambda', platform);
  const isHere = platform === here;

  const compiler = zig({ project, platform: here });
  const tensorflow = libtensorflow({ project, wheel, ...(!isHere && { place: join(folder, 'libtensorflow') }) });
  const place = join(folder, 'tfjs-binding');
  const binding = tfjsBindingForLambda({
    project,
    lock,
    libtensorflow: tensorflow,
    wheel,
    machine: { os, cpu },
    zig: compiler,
    place,
  });
  const node = process.execPath;
  const sharp = isHere ? undefined : sharpBinaries({ lock, platform, place: join(folder, 'sharp'), node });
  return {
    steps: [compiler, tensorflow, binding, ...(sharp ? [sharp] : [])],
    libtensorflow: tensorflow.place,
    binding: place,
    sharp: sharp?.place ?? project.root,
  };
}

/**
 * Makes what is missing of it, and shows how far it is on standard error.
 *
 * @param {import('./project.mjs').Project} project
 * @param {LambdaToolchain} toolchain
 * @throws {import('./setup-error.mjs').SetupError}
 */
export async function makeLambdaToolchain(project, { steps }) {
  await prepareMissing(project, steps);
}
