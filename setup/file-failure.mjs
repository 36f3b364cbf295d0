// @ts-check

import { SetupError } from './setup-error.mjs';

/** @type {Record<string, string>} */
const CAUSES = {
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'your disk quota is used up. Free some space',
  EACCES: 'this user may not write there. Change the owner of the folder, for instance with sudo chown -R',
  EPERM: 'this user may not write there. Change the owner of the folder, for instance with sudo chown -R',
  EROFS: 'it cannot be written to. Put the project elsewhere',
  EXDEV: 'it is on a file system of its own, and so cannot be replaced in one step. Remove that mount or link',
  EBUSY: 'it is in use, or mounted by itself. Remove that mount',
};

/**
 * @param {unknown} error
 * @returns {unknown} the error, as a SetupError if it is the file system's and the user can mend it
 */
export function fileFailure(error) {
  const { code = '', message } = /** @type {NodeJS.ErrnoException} */ (error);
  const cause = CAUSES[code];
  return cause ? new SetupError(`${cause}, and run the command again.\n\n  ${message}`, { cause: error }) : error;
}
