import { createRequire } from 'node:module';
import { PackageError } from './package-error.ts';

const require = createRequire(import.meta.url);

/** The licenses that an SPDX expression names, such as MIT and Zlib in `(MIT OR Zlib)`. */
export function licensesIn(expression: string): string[] {
  return expression.match(/[\w.+-]+/g)?.filter((word) => !['AND', 'OR', 'WITH'].includes(word)) ?? [];
}

/**
 * The text of a license as SPDX has it, for what comes without one.
 *
 * @param id of the SPDX list, such as `BSD-3-Clause`
 * @param owner what comes under it, for the error
 * @throws {PackageError} when the list does not have it
 */
export function standardText(id: string, owner: string): string {
  try {
    return require(`spdx-license-list/licenses/${id}.json`).licenseText.trim();
  } catch (cause) {
    throw new PackageError(`expected an SPDX license identifier for ${owner}, got ${id}`, { cause });
  }
}
