// @ts-check

import { join } from 'node:path';
import { TENSORFLOW_VERSION } from '../pinned.mjs';
import { PIP, PYTHON } from '../prerequisites.mjs';
import { unpackedWheel } from './wheel.mjs';

/** @typedef {import('../step.mjs').Step} Step */
/** @typedef {import('../pinned.mjs').Wheel} Wheel */

/** What the binding includes, directly or not. */
const HEADERS = [
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/ctstring',
  'tensorflow/include/tsl/platform/ctstring',
  'tensorflow/include/xla/tsl/c/',
];

/** The licences of TensorFlow and of what is linked into it: whoever passes the libraries on owes them. */
const NOTICES = ['tensorflow/include/LICENSE=LICENSE', 'tensorflow/THIRD_PARTY_NOTICES.txt=THIRD_PARTY_NOTICES.txt'];

/**
 * TensorFlow's C library, from the wheel that Python users install: `lib/`, `include/` and the licences. The archives
 * that tfjs-node would download end at TensorFlow 2.9 and are not to be had any more.
 *
 * @param {object} options
 * @param {import('../project.mjs').Project} options.project
 * @param {Wheel} options.wheel
 * @param {string} [options.place]  that of this machine's, unless it is for another one
 * @returns {Step}
 */
export function libtensorflow({ project, wheel, place = join(project.toolchain, 'libtensorflow') }) {
  const parts = wheelParts(wheel);
  return {
    title: `libtensorflow ${TENSORFLOW_VERSION}`,
    place,
    stamp: { package: wheel.package, version: TENSORFLOW_VERSION, tag: wheel.tag, sha256: wheel.sha256, parts },
    needs: [PYTHON, PIP],
    // The wheel twice: pip keeps a copy in its cache.
    bytes: 2 * wheel.bytes + wheel.unpackedBytes,
    make: (workshop) =>
      unpackedWheel(
        workshop,
        { ...wheel, version: TENSORFLOW_VERSION },
        { name: 'libtensorflow', parts, measured: 'lib' },
      ),
  };
}

/**
 * @param {Wheel} wheel
 * @returns {string[]} as unpack_wheel.py takes them: `beginning of a name in the wheel=what takes its place`
 */
function wheelParts({ libraries, companions }) {
  const parts = libraries.map((library) => `tensorflow/${library}=lib/${library}`);
  if (companions) parts.push(`${companions}=lib/`);
  for (const header of HEADERS) parts.push(`${header}=${header.replace('tensorflow/', '')}`);
  return [...parts, ...NOTICES];
}
