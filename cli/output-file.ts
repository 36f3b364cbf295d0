import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { printStream } from './terminal.ts';

/**
 * Has a file written and puts it where the user wants it: it appears there whole or not at all.
 *
 * @param to a path, which may be one of a device or a pipe; undefined for standard output
 * @param folder for temporary files
 * @param write given the path to write to
 */
export async function writeOutput<Result>(
  to: string | undefined,
  folder: string,
  write: (path: string) => Promise<Result>,
): Promise<Result> {
  if (to !== undefined && (await canBeReplaced(to))) return writeAndRename(to, write);
  const path = join(folder, 'output');
  const result = await write(path);
  await (to === undefined
    ? untilClosed(printStream(createReadStream(path)))
    : untilClosed(pipeline(createReadStream(path), createWriteStream(to))));
  return result;
}

/** A file or none. Also a folder: renaming to it fails with the error that says so. */
async function canBeReplaced(path: string): Promise<boolean> {
  try {
    const there = await stat(path);
    return there.isFile() || there.isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

async function writeAndRename<Result>(to: string, write: (path: string) => Promise<Result>): Promise<Result> {
  // Checked before the work: DuckDB's own error for a missing folder has no code.
  await stat(dirname(to)).catch(forUser(to));
  // On the same disk as its target, so that the last step is one that cannot stop half-way.
  const beside = join(dirname(to), `.${basename(to)}.${process.pid}`);
  try {
    const result = await write(beside);
    await rename(beside, to).catch(forUser(to));
    return result;
  } finally {
    await rm(beside, { force: true });
  }
}

/** The user knows the path of the target, not of what lies beside it. */
function forUser(path: string): (error: Error) => never {
  return (error) => {
    throw Object.assign(error, { path });
  };
}

/** Whoever reads may have seen enough, as `head` has: that is no error. */
async function untilClosed(copying: Promise<void>): Promise<void> {
  try {
    await copying;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}
