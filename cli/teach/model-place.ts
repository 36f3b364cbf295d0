import { opendir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { checkParentFolder } from '../terminal/new-folder.ts';
import { CommandError } from '../terminal/user-errors.ts';

/** Records how a model was taught. It marks the folders that the command may replace. */
export const TEACHING_FILE = 'teaching.json';
export const SUMS_FILE = 'SHA256SUMS';

/** Where a model is written. */
export type ModelPlace = {
  path: string;
  /** `--force`: a model that the command has made is replaced. */
  force: boolean;
};

/**
 * Call it before the work, and before anything is replaced.
 *
 * @throws {CommandError} when something is there that must not be replaced
 */
export async function checkModelPlace({ path, force }: ModelPlace): Promise<void> {
  if (!(await isThere(path))) return checkParentFolder(path);
  const why = force ? await whyNotReplaced(path) : 'or replace it with --force';
  if (why === undefined) return;
  throw new CommandError(
    `${visibleLine(path)} already exists; choose another folder with --out${force ? ': ' : ', '}${why}`,
  );
}

async function whyNotReplaced(path: string): Promise<string | undefined> {
  if (!(await isThere(join(path, TEACHING_FILE)))) {
    return `it has no ${TEACHING_FILE}, so it was not written by this command`;
  }
  const added = await addedFile(path);
  if (added === undefined) return undefined;
  return `${visibleLine(added)} is in it, which ${SUMS_FILE} does not list and --force would remove`;
}

/** Files that operating systems create. */
const FROM_SYSTEMS = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** The first file in a model folder that the command has not written. */
async function addedFile(path: string): Promise<string | undefined> {
  const own = new Set([SUMS_FILE, TEACHING_FILE, ...(await listedFiles(path))]);
  for await (const entry of await opendir(path, { recursive: true })) {
    const name = relative(path, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (!entry.isDirectory() && !own.has(name) && !FROM_SYSTEMS.has(entry.name)) return name;
  }
  return undefined;
}

async function listedFiles(path: string): Promise<string[]> {
  const sums = await readFile(join(path, SUMS_FILE), 'utf8').catch(() => '');
  return sums.split('\n').map((line) => line.slice(line.indexOf('  ') + 2));
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
