// @ts-check

import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { ZIG_VERSION, ZIG_WHEELS } from '../pinned-zig.mjs';
import { PIP, PYTHON } from '../prerequisites.mjs';
import { SetupError } from '../setup-error.mjs';
import { unpackedWheel } from './wheel.mjs';

/** @typedef {import('../step.mjs').Step} Step */

/** What is needed of `lib/` for Linux with glibc: a fifth of its files. */
const LIB = [
  'c',
  'include/',
  'libc/glibc/',
  'libc/include/aarch64-linux',
  'libc/include/any-linux',
  'libc/include/generic-glibc/',
  'libc/include/x86-linux',
  'libc/include/x86_64-linux',
  'libcxx',
  'libunwind/',
  'std/',
  'ubsan_rt.zig',
];
const PARTS = ['zig', 'LICENSE', ...LIB.map((part) => `lib/${part}`)].map((part) => `ziglang/${part}=${part}`);

/**
 * The Zig compiler, which compiles C++ too: `zig` and `lib/`.
 *
 * @param {object} options
 * @param {import('../project.mjs').Project} options.project
 * @param {string} options.platform  of this machine, `process.platform`-`process.arch`
 * @returns {Step}
 * @throws {SetupError} on a machine that packages are not made on
 */
export function zig({ project, platform }) {
  const wheel = ZIG_WHEELS[platform];
  if (wheel === undefined) {
    throw new SetupError(`packages are made on ${Object.keys(ZIG_WHEELS).join(', ')}; this Node is for ${platform}.`);
  }
  return {
    title: `Zig ${ZIG_VERSION}`,
    place: join(project.toolchain, 'zig'),
    stamp: { package: wheel.package, version: wheel.version, tag: wheel.tag, sha256: wheel.sha256, parts: PARTS },
    needs: [PYTHON, PIP],
    // The wheel twice: pip keeps a copy in its cache.
    bytes: 2 * wheel.bytes + wheel.unpackedBytes,
    async make(workshop) {
      const made = await unpackedWheel(workshop, wheel, { name: 'zig', parts: PARTS });
      await chmod(join(made, 'zig'), 0o755);
      return made;
    },
  };
}
