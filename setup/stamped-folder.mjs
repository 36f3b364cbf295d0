// @ts-check
// A folder that the set-up made holds a stamp that says what it was made from. Folders are made
// elsewhere and renamed into place with their stamp inside, so one whose stamp is right is whole.

import { lstatSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const STAMP = '.labelqueue-stamp.json';

/** @typedef {Record<string, string | readonly string[]>} Stamp */

/**
 * @param {string} folder
 * @param {Stamp} stamp
 */
export function hasStamp(folder, stamp) {
  try {
    return readFileSync(join(folder, STAMP), 'utf8') === written(stamp);
  } catch {
    return false;
  }
}

/**
 * Puts a finished folder where it belongs, in the place of what is there.
 *
 * @param {string} made
 * @param {string} place  on the same file system
 * @param {Stamp} stamp
 * @param {string} attic  free path to which what was there is moved
 */
export async function putInPlace(made, place, stamp, attic) {
  await writeFile(join(made, STAMP), written(stamp));
  await mkdir(dirname(place), { recursive: true });
  if (lstatSync(place, { throwIfNoEntry: false })) await rename(place, attic);
  await rename(made, place);
}

/** @param {Stamp} stamp */
function written(stamp) {
  return `${JSON.stringify(stamp, null, 2)}\n`;
}
