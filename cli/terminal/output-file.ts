import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { OutcomeFileError } from '../../shared/jobs/outcome-errors.ts';
import { ofFile } from '../../shared/runtime/file-failure.ts';
import { cleanUpAtEnd } from './interruption.ts';
import { printStream } from './terminal.ts';
import { CommandError } from './user-errors.ts';

/** Where a command writes. */
export type Output = {
  /** May be one of a device or a pipe; undefined for standard output. */
  path: string | undefined;
  /** `--force`: replaces whatever file is there. */
  force: boolean;
  /** Whether an existing file was written by the same command; then it is replaced without `--force`. */
  isOwn?: (path: string) => Promise<boolean>;
};

/**
 * Call it before the work, so that a bad output path is reported early.
 *
 * @throws {CommandError} when there is a file that the command did not write
 */
export async function checkOutput({ path, force, isOwn = async () => false }: Output): Promise<void> {
  if (path === undefined) return;
  const there = await stat(path).catch(missing);
  if (there === undefined) return access(dirname(path), constants.W_OK).catch(ofFolder(path));
  // The error that the system has for it.
  if (there.isDirectory()) await open(path, 'w');
  if (!there.isFile() || force || (await isOwn(path))) return;
  throw new CommandError(`${visibleLine(path)} already exists; choose another name, or replace it with --force`);
}

/**
 * Writes a file to a temporary place and moves it to the path that the user named: the file appears there atomically.
 *
 * @param folder for temporary files
 * @param write given the path to write to
 * @throws {CommandError} when a file was created there in the meantime
 */
export async function writeOutput<Result>(
  output: Output,
  folder: string,
  write: (path: string) => Promise<Result>,
): Promise<Result> {
  const to = output.path;
  if (to !== undefined && (await canBeReplaced(to))) return writeAndRename({ ...output, path: to }, write);
  const path = join(folder, 'output');
  const result = await write(path);
  await (to === undefined
    ? untilClosed(printStream(createReadStream(path)))
    : untilClosed(pipeline(createReadStream(path), createWriteStream(to))).catch(ofFile(to)));
  return result;
}

/** Whether there is a file or nothing, as opposed to a device or a pipe. */
export async function canBeReplaced(path: string): Promise<boolean> {
  const there = await stat(path).catch(missing);
  return there === undefined || there.isFile() || there.isDirectory();
}

function ofFolder(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code !== 'ENOENT') return ofFile(path)(error);
    throw new CommandError(`no folder ${visibleLine(dirname(path))}: create it first`, { cause: error });
  };
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function writeAndRename<Result>(
  output: Output & { path: string },
  write: (path: string) => Promise<Result>,
): Promise<Result> {
  const to = output.path;
  // On the same disk as the target, so that the final rename is atomic. Process ids repeat in containers.
  const beside = join(dirname(to), `.${basename(to)}.${randomBytes(4).toString('hex')}`);
  const forget = cleanUpAtEnd(() => rmSync(beside, { force: true }));
  try {
    // DuckDB's own errors for a place that cannot be written to have no codes.
    await (await open(beside, 'w').catch(ofFile(to))).close();
    const result = await write(beside).catch(ofOutput(to, beside));
    await checkOutput(output);
    await rename(beside, to).catch(ofFile(to));
    return result;
  } finally {
    await rm(beside, { force: true });
    forget();
  }
}

/** Errors name the path of the target, not of the temporary file beside it. */
function ofOutput(to: string, beside: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof OutcomeFileError && error.path === beside) {
      throw new CommandError(`${visibleLine(to)}: ${error.reason}`, { cause: error });
    }
    // Failed writes have no path; an error that names another file is about that file.
    if (Error.isError(error) && 'syscall' in error && !('path' in error && error.path !== beside)) ofFile(to)(error);
    throw error;
  };
}

/** The reader may close the pipe early, as `head` does: that is not an error. */
async function untilClosed(copying: Promise<void>): Promise<void> {
  try {
    await copying;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}
