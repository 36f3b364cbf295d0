// @ts-check
// What pip fetches, with its hashes. The npm packages, Node among them, are pinned in package-lock.json.

import { SetupError } from './tool.mjs';

/** This machine, as npm names platforms. */
export const HERE = `${process.platform}-${process.arch}`;

/** The glibc that Zig compiles against: Node 24 needs no older one. See docs/decisions/cross-compiling.md. */
export const GLIBC_VERSION = '2.28';

/**
 * `tag` is the platform to ask pip for.
 *
 * @typedef {{ package: string, version: string, tag: string, sha256: string }} Wheel
 */

/**
 * @typedef {object} Platform
 * @property {Wheel} wheel  that holds libtensorflow
 * @property {string[]} libraries  file names of libtensorflow, in the order in which they are linked
 * @property {Wheel} [zig]  where packages are made
 */

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** @type {Record<string, Platform>} */
export const PLATFORMS = {
  'linux-x64': {
    wheel: tensorflow(
      '-cpu',
      'manylinux_2_17_x86_64',
      '8e0f27dbd92c6d380ae0ccfe73c7343f65c127b0aa98467c30c2e71eda7c76a4',
    ),
    zig: ziglang('manylinux_2_12_x86_64', 'ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54'),
    libraries,
  },
  'linux-arm64': {
    wheel: tensorflow('', 'manylinux_2_17_aarch64', '1ba52b9c06ab8102b31e50acfaf56899b923171e603c8942f2bfeb181d6bb59e'),
    zig: ziglang('manylinux_2_17_aarch64', 'b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e'),
    libraries,
  },
  'darwin-arm64': {
    wheel: tensorflow('', 'macosx_12_0_arm64', '98afa9c7f21481cdc6ccd09507a7878d533150fbb001840cc145e2132eb40942'),
    libraries: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
  },
};

/** @type {(variant: string, tag: string, sha256: string) => Wheel} */
function tensorflow(variant, tag, sha256) {
  return { package: `tensorflow${variant}`, version: '2.18.1', tag, sha256 };
}

/** @type {(tag: string, sha256: string) => Wheel} */
function ziglang(tag, sha256) {
  return { package: 'ziglang', version: '0.17.1', tag, sha256 };
}

/** @type {(name: string) => Platform} @throws {SetupError} when labelqueue does not run there */
export function platformNamed(name) {
  const platform = PLATFORMS[name];
  if (platform) return platform;
  const names = Object.keys(PLATFORMS).join(', ');
  throw new SetupError(`labelqueue runs on ${names}, not on ${name}. On Windows, use WSL 2 with a Node of its own.`);
}
