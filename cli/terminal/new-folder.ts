import { existsSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { CommandError } from './user-errors.ts';

/**
 * To be called before the work: whatever is wrong with the place of a new folder is known then.
 *
 * @param folder as the user has named it
 * @returns its absolute path
 * @throws {CommandError} when the place is taken, or the folder around it is missing
 */
export async function checkNewFolder(folder: string): Promise<string> {
  const place = resolve(folder);
  if (existsSync(place)) {
    throw new CommandError(`${visibleLine(folder)} exists already: choose another folder, or remove it first`);
  }
  await checkFolderAround(place);
  return place;
}

/** @throws {CommandError} when the folder in which one is to be made is missing */
export async function checkFolderAround(place: string): Promise<void> {
  const parent = await stat(dirname(place)).catch(() => undefined);
  if (!parent?.isDirectory()) throw new CommandError(`no folder ${visibleLine(dirname(place))}: make it first`);
}

/** Gives a folder that was made for its owner alone the mode of others that the user makes. */
export function openToOthers(folder: string): Promise<void> {
  return chmod(folder, FOLDER_MODE & ~process.umask());
}

/** Before the user's own mask. */
const FOLDER_MODE = 0o777;

/** @throws {CommandError} for a folder that another command or a user has made while this one was at work */
export function checkMade(made: boolean, folder: string): void {
  if (!made) throw new CommandError(`${visibleLine(folder)} exists by now: choose another folder`);
}
