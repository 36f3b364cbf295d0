// @ts-check

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The bytes in the files of a folder that another process may be changing: what vanishes meanwhile
 * counts as nothing.
 *
 * @param {string} folder
 * @returns {number}
 */
export function folderSize(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(folder, entry.name);
      return sum + (entry.isDirectory() ? folderSize(path) : statSync(path).size);
    }, 0);
  } catch {
    return 0;
  }
}
