import { accessSync, constants, type Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Entries that are read at once. */
const ENTRIES_AT_ONCE = 1_024;

/**
 * The files of a folder and the folders in it that can be read, as paths with `/` between folders. Sorted: the order
 * must be the same when a job is resumed. Keeps the names of one folder at a time, and of those above it. Links to
 * files are followed, links to folders are not: they may form a loop.
 *
 * @param isSelected called before a file is opened
 * @param leaveOut called with the reason for each selected entry that cannot be read
 */
export async function* filesIn(
  folder: string,
  isSelected: (name: string) => boolean,
  leaveOut: (reason: string) => void,
): AsyncGenerator<string> {
  for await (const name of namesIn(folder, '', isSelected, leaveOut)) {
    const reason = unreadable(join(folder, name));
    if (reason === undefined) yield name;
    else leaveOut(reason);
  }
}

async function* namesIn(
  folder: string,
  prefix: string,
  isSelected: (name: string) => boolean,
  leaveOut: (reason: string) => void,
): AsyncGenerator<string> {
  const names: string[] = [];
  for await (const entry of entriesOf(join(folder, prefix), prefix, leaveOut)) {
    const name = `${prefix}${entry.name}`;
    const reason = entry.isFile() || entry.isDirectory() ? undefined : await reasonAgainst(entry, join(folder, name));
    if (reason !== undefined) leaveOut(reason);
    else if (entry.isDirectory()) names.push(`${name}/`);
    else if (isSelected(name)) names.push(name);
  }
  for (const name of names.sort()) {
    if (name.endsWith('/')) yield* namesIn(folder, name, isSelected, leaveOut);
    else yield name;
  }
}

/** The folder itself must be readable; folders in it may be unreadable. */
async function* entriesOf(path: string, prefix: string, leaveOut: (reason: string) => void): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path, { bufferSize: ENTRIES_AT_ONCE });
  } catch (error) {
    if (prefix === '') throw error;
    leaveOut(`folders that cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function reasonAgainst(entry: Dirent, path: string): Promise<string | undefined> {
  if (!entry.isSymbolicLink()) return 'neither files nor folders';
  try {
    const target = await stat(path);
    if (target.isFile()) return undefined;
    return target.isDirectory() ? 'links to folders' : 'links to neither files nor folders';
  } catch {
    return 'broken links';
  }
}

/** Synchronous: for 800,000 files, awaiting would take most of the time. */
function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Node gives names that are not UTF-8 with U+FFFD in them, and such paths do not exist.
    if (code === 'ENOENT') return 'files that were removed, or whose names are not UTF-8';
    return `files that cannot be read (${code})`;
  }
}
