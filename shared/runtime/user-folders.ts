import { lstatSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { UserError } from '../contract/user-error.ts';
import { visibleLine } from '../contract/visible-text.ts';
import { fileFailureText } from './file-failure.ts';
import { belongsToAnother } from './folder-owner.ts';
import { makeFolder } from './make-folder.ts';

/** The cache folder cannot be used; the message has the remedy. */
export class CacheFolderError extends UserError {
  override readonly name = 'CacheFolderError';
}

/** Where `labelqueue local` keeps queues and objects, for every version of the package. */
export function stateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return userFolder(environment['XDG_STATE_HOME'], '.local/state');
}

/** For what is downloaded or unpacked at its first use. Can be deleted at any time. It may be missing. */
export function cacheFolderPath(environment: NodeJS.ProcessEnv = process.env): string {
  return userFolder(environment['XDG_CACHE_HOME'], '.cache');
}

/** Relative paths in these variables are ignored: https://specifications.freedesktop.org/basedir-spec/latest/ */
function userFolder(given: string | undefined, usual: string): string {
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), usual), 'labelqueue');
}

const ELSEWHERE = 'set XDG_CACHE_HOME to a folder of your own';

/**
 * The cache folder, made if it is missing. Programs run from it, so no other user may be able to change it.
 *
 * @throws {CacheFolderError} when it cannot be made, or another user can change or replace it
 */
export function cacheFolder(): string {
  const path = cacheFolderPath();
  try {
    makeFolder(path, 0o700);
  } catch (error) {
    const reason = fileFailureText(error) ?? visibleLine(String(error));
    throw new CacheFolderError(`the cache folder ${visibleLine(path)} cannot be made (${reason}); ${ELSEWHERE}`, {
      cause: error,
    });
  }
  checkOwnFolder(path);
  checkParent(dirname(path));
  return path;
}

/** Where the permissions of groups and others differ from those of a folder that only its owner can change. */
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * @param path of a folder that programs run from
 * @param user whose folder it must be, by default the one of this process; root's are accepted, too
 * @throws {CacheFolderError} when it belongs to another user, or others may write to it
 */
export function checkOwnFolder(path: string, user = process.getuid?.()): void {
  for (const there of [lstatSync(path), statSync(path)]) checkOwner(path, there, user);
  const mode = statSync(path).mode & 0o777;
  if (user === undefined || (mode & WRITABLE_BY_OTHERS) === 0) return;
  throw new CacheFolderError(
    `expected ${visibleLine(path)} to be writable by its owner only, found the permissions ${mode.toString(8)}: ` +
      `other users could change the programs in it; delete it, run chmod go-w on it, or ${ELSEWHERE}`,
  );
}

/** Its owner could put another folder in the place of the cache folder, and so could all who may write to it. */
function checkParent(path: string, user = process.getuid?.()): void {
  const there = statSync(path);
  checkOwner(path, there, user);
  if (user === undefined || (there.mode & 0o002) === 0 || (there.mode & STICKY) !== 0) return;
  throw new CacheFolderError(
    `expected ${visibleLine(path)} not to be writable by all users, found the permissions ${(there.mode & 0o777).toString(8)}: ` +
      `they could replace the programs in it; run chmod o-w on it, or ${ELSEWHERE}`,
  );
}

function checkOwner(path: string, there: Stats, user: number | undefined): void {
  if (!belongsToAnother(there, user)) return;
  throw new CacheFolderError(
    `expected ${visibleLine(path)} to belong to this user (id ${user})${user === 0 ? '' : ' or root'}, found the user id ${there.uid}: ` +
      `that user could change the programs in it; ${ELSEWHERE}`,
  );
}
