import { existsSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { CommandError } from './user-errors.ts';

/**
 * Call it before the work, so that a bad path of a new folder is reported early.
 *
 * @param folder as the user has named it
 * @returns its absolute path
 * @throws {CommandError} when the place is taken, or the folder around it is missing
 */
export async function checkNewFolder(folder: string): Promise<string> {
  const place = resolve(folder);
  if (existsSync(place)) {
    throw new CommandError(`${visibleLine(folder)} already exists; choose another folder, or remove it first`);
  }
  await checkParentFolder(place);
  return place;
}

/** @throws {CommandError} when the parent folder is missing */
export async function checkParentFolder(place: string): Promise<void> {
  const parent = await stat(dirname(place)).catch(() => undefined);
  if (!parent?.isDirectory()) throw new CommandError(`no folder ${visibleLine(dirname(place))}: create it first`);
}

/** Gives a folder that only its owner can read the default mode. */
export function applyDefaultMode(folder: string): Promise<void> {
  return chmod(folder, FOLDER_MODE & ~process.umask());
}

/** Before the user's own mask. */
const FOLDER_MODE = 0o777;

/** @throws {CommandError} when the folder was created by something else in the meantime */
export function checkCreated(created: boolean, folder: string): void {
  if (!created) throw new CommandError(`${visibleLine(folder)} was created in the meantime; choose another folder`);
}
