import { type FileHandle, open, opendir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { TextEncodingError, textOfFile } from '../../runtime/text-file.ts';
import { ModelFolderError } from './model-folder-error.ts';

const MB = 1_000_000;
/** Limit of labels and configuration: a hundred thousand labels take a few megabytes. */
export const MAX_MODEL_TEXT_BYTES = 10 * MB;
/** Limit of a topology without weights; the largest networks have about ten megabytes. */
export const MAX_TOPOLOGY_BYTES = 100 * MB;
/** The maximum of a protocol buffer, and so of `saved_model.pb`; also for weights in memory. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * A text file of a model folder, see `textOfFile`.
 *
 * @returns undefined when the file does not exist
 * @throws {ModelFolderError} naming the file when it cannot be read, is too large, or is not text
 */
export async function readOptionalModelFile(
  folder: string,
  file: string,
  maxBytes: number = MAX_MODEL_TEXT_BYTES,
): Promise<string | undefined> {
  try {
    return textOfFile(await readModelFile(folder, file, maxBytes));
  } catch (error) {
    if (error instanceof TextEncodingError) throw new ModelFolderError(`${join(folder, file)}: ${error.message}`);
    if (error instanceof ModelFolderError && isMissing(error.cause)) return undefined;
    throw error;
  }
}

/**
 * A file of a model folder.
 *
 * @throws {ModelFolderError} naming the file when it cannot be read, or has more than `maxBytes`
 */
export async function readModelFile(folder: string, file: string, maxBytes: number): Promise<Buffer> {
  const path = join(folder, file);
  try {
    await using handle = await open(path);
    await checkSize(handle, path, maxBytes);
    return await handle.readFile();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new ModelFolderError(`${path}: expected a file that can be read: ${code}`, { cause });
  }
}

async function checkSize(handle: FileHandle, path: string, maxBytes: number): Promise<void> {
  const found = await handle.stat();
  if (!found.isFile()) throw new ModelFolderError(`${path}: expected a file, got a folder or a device`);
  if (found.size <= maxBytes) return;
  throw new ModelFolderError(`${path}: expected at most ${maxBytes} bytes, got ${found.size}`);
}

function isMissing(cause: unknown): boolean {
  return Error.isError(cause) && 'code' in cause && cause.code === 'ENOENT';
}

/** @throws {ModelFolderError} naming the file */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelFolderError(`${path}: expected JSON: ${(cause as Error).message}`, { cause });
  }
}

/** A model has few files; some folders also contain notes and checkpoints. */
const MAX_FILES = 10_000;

/**
 * Checks that all paths within a folder stay in it: links must not lead outside, and there must be no pipes and devices.
 *
 * @throws {ModelFolderError} naming the first violation
 */
export async function checkStaysInside(folder: string): Promise<void> {
  const root = await realpath(folder);
  let files = 0;
  for await (const entry of await opendir(folder, { recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (++files > MAX_FILES) throw new ModelFolderError(`${folder}: expected at most ${MAX_FILES} files`);
    if (entry.isFile() || entry.isDirectory()) continue;
    if (!entry.isSymbolicLink())
      throw new ModelFolderError(`${path}: expected a file or a folder, got a device or a pipe`);
    const target = await realpath(path).catch(() => undefined);
    if (target === root || target?.startsWith(`${root}${sep}`)) continue;
    throw new ModelFolderError(
      `${path}: expected a link to something in ${folder}, it leads ${target === undefined ? 'nowhere' : `to ${target}`}: ` +
        `copy the folder with what its links lead to ("cp -RL"). ${TRUST_HINT}`,
    );
  }
}

/** How to allow a model to do more. */
export const TRUST_HINT =
  '--trust-model (MODEL_TRUSTED=true) uses a model all the same, for those that you would run a program of; ' +
  'docs/models.md says what a model can do';
