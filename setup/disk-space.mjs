// @ts-check

import { statfs } from 'node:fs/promises';
import { SetupError } from './setup-error.mjs';

/**
 * @param {string} folder
 * @param {number} needed  bytes
 * @throws {SetupError} when the folder's file system has less room than that
 */
export async function checkDiskSpace(folder, needed) {
  const { blocks, bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const unknown = blocks === 0; // some network file systems do not tell
  if (unknown || free >= needed) return;
  throw new SetupError(
    `the disk is too full: ${gigabytes(needed)} are needed in ${folder}, ${gigabytes(free)} are free.\n\n` +
      'Free some space and run the command again.',
  );
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
