import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { PackageError } from './package-error.ts';

const run = promisify(execFile);

/** What Amazon Linux 2023 has, the system of Lambda's Node 24: glibc 2.34, and the libstdc++ of GCC 11. */
const NEWEST: Readonly<Record<string, string>> = { GLIBC: '2.34', GLIBCXX: '3.4.29', CXXABI: '1.3.13' };

/**
 * A library that was compiled on a newer system than Lambda's may ask for functions that are not there.
 *
 * @throws {PackageError} when it does
 */
export async function refuseTooNew(library: string): Promise<void> {
  const { stdout } = await run('readelf', ['--version-info', '--wide', library], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  const tooNew = newerThanLambda(stdout);
  if (tooNew.length === 0) return;
  const expected = Object.entries(NEWEST).map((entry) => entry.join('_'));
  throw new PackageError(
    `${basename(library)} would not load on Lambda: expected at most ${expected.join(', ')}, got ${tooNew.join(', ')}. ` +
      'Package on an older system (Debian 12, Ubuntu 22.04, Amazon Linux 2023), or set CXX to g++ 11 or 12, ' +
      'remove .labelqueue/toolchain/tfjs-binding and try again.',
  );
}

/** @param versionInfo as readelf prints it */
export function newerThanLambda(versionInfo: string): string[] {
  const needs = new Set(
    [...versionInfo.matchAll(/Name: ((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)/g)].map(([, need]) => need ?? ''),
  );
  return [...needs].filter((need) => {
    const [kind = '', version = ''] = need.split('_');
    return version.localeCompare(NEWEST[kind] ?? '', 'en', { numeric: true }) > 0;
  });
}
