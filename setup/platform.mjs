// @ts-check

import { PLATFORMS } from './pinned.mjs';
import { SetupError } from './setup-error.mjs';

/** @typedef {import('./pinned.mjs').Platform} Platform */

/**
 * @param {string} name  `process.platform`-`process.arch`
 * @returns {Platform}
 * @throws {SetupError} when labelqueue does not run there
 */
export function platformNamed(name) {
  const platform = PLATFORMS[name];
  if (platform) return platform;
  throw new SetupError(
    `labelqueue runs on ${Object.keys(PLATFORMS).join(', ')}; this Node is for ${name}.\n\n${adviceFor(name)}`,
  );
}

/** @param {string} name */
function adviceFor(name) {
  const [system, architecture] = name.split('-');
  if (system === 'win32') return 'On Windows use WSL 2 with Debian or Ubuntu, and install Node there.';
  if (system === 'darwin')
    return 'No current TensorFlow is published for Intel Macs: use Linux, or a Mac with an M chip.';
  if (architecture === 'arm' || architecture === 'ia32')
    return 'If the machine is a 64-bit one, install the 64-bit Node.';
  return 'No TensorFlow is published for this platform.';
}

/**
 * TensorFlow's libraries and Node's own binaries are linked to glibc.
 *
 * @param {object} report  of `process.report.getReport()`
 * @throws {SetupError} on Alpine and other musl systems
 */
export function refuseMusl(report) {
  const { header } = /** @type {{ header: { platform: string, glibcVersionRuntime?: string } }} */ (report);
  if (header.platform !== 'linux' || header.glibcVersionRuntime) return;
  throw new SetupError(
    'TensorFlow needs a Linux with glibc; this one has another C library (musl, as on Alpine).\n\n' +
      'Use Debian, Ubuntu or Fedora, or a Docker image such as node:24-bookworm.',
  );
}
