import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Architecture } from '../../shared/contract/worker-time.ts';
import { readElf, versionsNeeded } from './elf/read-elf.ts';
import { PackageError } from './package-error.ts';

/** What Amazon Linux 2023 has, the system of Lambda's Node 24: glibc 2.34, and the libstdc++ of GCC 11. */
const NEWEST: ReadonlyMap<string, string> = new Map([
  ['GLIBC', '2.34'],
  ['GLIBCXX', '3.4.29'],
  ['CXXABI', '1.3.13'],
]);

/**
 * Native code of another architecture does not load, nor does a library that was compiled on a newer system than Lambda's
 * and asks for functions that are not there.
 *
 * @param library a library or an add-on for Node
 * @param architecture of the function
 * @throws {PackageError} when Lambda would not load it
 */
export async function assertRunsOnLambda(library: string, architecture: Architecture): Promise<void> {
  await using file = await open(library);
  const elf = await readElf(file);
  if (elf?.architecture !== architecture) {
    throw new PackageError(
      `${basename(library)} would not load on Lambda: expected native code for ${architecture}, ` +
        `got ${elf === undefined ? 'another format' : (elf.architecture ?? 'another processor')} (${library})`,
    );
  }
  const tooNew = newerThanLambda(await versionsNeeded(file, elf));
  if (tooNew.length === 0) return;
  const expected = [...NEWEST].map((entry) => entry.join('_'));
  throw new PackageError(
    `${basename(library)} would not load on Lambda: expected at most ${expected.join(', ')}, got ${tooNew.join(', ')}. ` +
      'Take a version of it that was built on an older system (Amazon Linux 2023, Debian 11, Ubuntu 22.04).',
  );
}

/** @param needs versions of functions, such as `GLIBC_2.28`; those of other libraries are left out */
export function newerThanLambda(needs: readonly string[]): string[] {
  return [...new Set(needs)].filter((need) => {
    const [kind = '', version = ''] = need.split('_');
    const newest = NEWEST.get(kind);
    return newest !== undefined && version.localeCompare(newest, 'en', { numeric: true }) > 0;
  });
}
