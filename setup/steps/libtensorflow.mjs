// @ts-check

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolEnvironment } from '../environment.mjs';
import { folderSize } from '../folder-size.mjs';
import { TENSORFLOW_VERSION } from '../pinned.mjs';
import { PIP, PYTHON } from '../prerequisites.mjs';

/** @typedef {import('../step.mjs').Step} Step */
/** @typedef {import('../step.mjs').Workshop} Workshop */
/** @typedef {import('../pinned.mjs').Wheel} Wheel */

const UNPACK = fileURLToPath(new URL('unpack_wheel.py', import.meta.url));

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
 * @returns {Step}
 */
export function libtensorflow({ project, wheel }) {
  const parts = wheelParts(wheel);
  return {
    title: `libtensorflow ${TENSORFLOW_VERSION}`,
    place: join(project.toolchain, 'libtensorflow'),
    stamp: { package: wheel.package, version: TENSORFLOW_VERSION, tag: wheel.tag, sha256: wheel.sha256, parts },
    needs: [PYTHON, PIP],
    // The wheel twice: pip keeps a copy in its cache.
    bytes: 2 * wheel.bytes + wheel.unpackedBytes,
    async make(workshop) {
      const file = await fetchWheel(workshop, wheel);
      return unpack(workshop, file, wheel, parts);
    },
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

/**
 * @param {Workshop} workshop
 * @param {Wheel} wheel
 * @returns {Promise<string>} folder in which the wheel is, alone
 */
async function fetchWheel(workshop, wheel) {
  const folder = join(workshop.folder, 'wheel');
  const temporary = join(workshop.folder, 'pip');
  await mkdir(temporary);
  const requirements = join(workshop.folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.package}==${TENSORFLOW_VERSION} --hash=sha256:${wheel.sha256}\n`);
  // pip writes to TMPDIR while it downloads, then moves the wheel to its destination.
  workshop.report('fetching', { bytes: () => folderSize(temporary) + folderSize(folder), of: wheel.bytes });
  // The wheel is taken for its libraries, so the Python here may be of any version.
  const target = ['--only-binary=:all:', '--python-version=3.12', '--implementation=cp', `--platform=${wheel.tag}`];
  const quiet = ['--no-input', '--progress-bar=off', '--disable-pip-version-check', '--retries=3'];
  const command = ['python3', '-m', 'pip', 'download', '--no-deps', '--dest', folder, ...target, ...quiet];
  await workshop.run([...command, '--require-hashes', '--requirement', requirements], {
    name: 'libtensorflow',
    failure: `pip could not fetch ${wheel.package} ${TENSORFLOW_VERSION}`,
    cwd: workshop.folder,
    env: { ...toolEnvironment(), TMPDIR: temporary, PIP_REQUIRE_VIRTUALENV: '0' },
  });
  return folder;
}

/**
 * @param {Workshop} workshop
 * @param {string} wheelFolder
 * @param {Wheel} wheel
 * @param {string[]} parts
 */
async function unpack(workshop, wheelFolder, wheel, parts) {
  const made = join(workshop.folder, 'libtensorflow');
  workshop.report('unpacking', { bytes: () => folderSize(join(made, 'lib')), of: wheel.unpackedBytes });
  await workshop.run(['python3', UNPACK, wheelFolder, made, ...parts], {
    name: 'libtensorflow-unpack',
    failure: `python3 could not unpack ${wheel.package} ${TENSORFLOW_VERSION}`,
    cwd: workshop.folder,
  });
  return made;
}
