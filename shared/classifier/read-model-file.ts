import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelFolderError } from './model-folder-error.ts';

/**
 * @returns undefined when there is no such file
 * @throws {ModelFolderError} naming the file when it cannot be read
 */
export async function readOptionalModelFile(folder: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ModelFolderError(`${join(folder, file)}: expected a file that can be read: ${code}`, { cause });
  }
}

/** @throws {ModelFolderError} naming the file */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelFolderError(`${path}: expected JSON: ${(cause as Error).message}`, { cause });
  }
}
