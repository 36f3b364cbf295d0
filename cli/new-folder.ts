import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { visibleLine } from '../shared/contract/visible-text.ts';
import { CommandError } from './expected-failures.ts';

/**
 * To be called before the work: whatever is wrong with the place of a new folder is known then.
 *
 * @param folder as the user has named it
 * @returns its absolute path
 * @throws {CommandError} when something is there already, or there is no folder around it
 */
export async function checkNewFolder(folder: string): Promise<string> {
  const place = resolve(folder);
  if (existsSync(place)) {
    throw new CommandError(`${visibleLine(folder)} exists already: choose another folder, or remove it first`);
  }
  const parent = await stat(dirname(place)).catch(() => undefined);
  if (!parent?.isDirectory()) throw new CommandError(`no folder ${visibleLine(dirname(place))}: make it first`);
  return place;
}
