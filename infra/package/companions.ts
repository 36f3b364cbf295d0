import { readdirSync } from 'node:fs';
import { PackageError } from './package-error.ts';
import type { Companion } from './sbom.ts';

/** Those of the pinned wheels, by the beginnings of their files' names. */
const COMPANIONS: ReadonlyMap<string, Companion> = new Map([
  ['libomp-', { name: 'libomp', licenses: 'Apache-2.0 WITH LLVM-exception' }],
]);

/**
 * What a wheel of TensorFlow has of others beside its own libraries.
 *
 * @param folder with all of its libraries
 * @param own names of TensorFlow's
 * @throws {PackageError} when the license of one is not known here
 */
export function companionsIn(folder: string, own: readonly string[]): Companion[] {
  return readdirSync(folder)
    .filter((name) => !own.includes(name))
    .map((name) => {
      const known = [...COMPANIONS].find(([beginning]) => name.startsWith(beginning));
      if (known !== undefined) return known[1];
      throw new PackageError(
        `expected a library of companions.ts in ${folder}, got ${name}: look up its license and add it there`,
      );
    });
}
