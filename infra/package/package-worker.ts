import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../../setup/setup-lock.mjs';
import { bundledPackages, bundleWorker } from './bundle.ts';
import { compressedLibraries, strip, strippedBytes } from './compressed-libraries.ts';
import { folderEntries, modelEntries, sharpEntries, tensorflowEntries, textEntry } from './contents.ts';
import { noticesText } from './notices.ts';
import { PackageError } from './package-error.ts';
import { refuseTooNew } from './runs-on-lambda.ts';
import { refuseTooLarge } from './sizes.ts';
import { type Entry, writeZip } from './zip.ts';

/** A package that was made. */
export type WorkerPackage = { path: string; sha256: string; entries: readonly Entry[] };

/**
 * Makes `classify.zip`: the worker with everything that it needs but Node. The same sources and tools
 * give the same bytes.
 *
 * @param folders `root` is the project, `work` keeps what the next packaging can use again
 * @param runsOn whether it has to run on Lambda's system, or on this machine alone
 * @throws {PackageError} when a tool is missing, or Lambda would not take or not run the package
 */
export async function packageWorker(
  folders: { root: string; work: string; dist: string },
  runsOn: 'lambda' | 'this machine',
): Promise<WorkerPackage> {
  const { work, dist } = folders;
  if (process.platform !== 'linux') {
    throw new PackageError(
      `a package holds binaries for Lambda, so it is made on Linux, not on ${process.platform}: use a Linux machine or a container`,
    );
  }
  await mkdir(work, { recursive: true });
  await mkdir(dist, { recursive: true });
  // Two packagings at once would compress the same libraries into the same place.
  const release = await takeLock(join(work, 'lock'), { signal: new AbortController().signal, onWait() {} });
  try {
    return await makePackage(folders, runsOn);
  } finally {
    release();
  }
}

async function makePackage(
  { root, work, dist }: { root: string; work: string; dist: string },
  runsOn: 'lambda' | 'this machine',
): Promise<WorkerPackage> {
  const bundle = join(work, 'bundle');
  const metafile = await bundleWorker(root, bundle);
  const entries = [
    ...folderEntries(bundle, ''),
    ...(await sharpEntries(root)),
    ...modelEntries(root),
    ...(await tensorflow(root, work, runsOn)),
    textEntry('THIRD-PARTY-NOTICES.txt', noticesText(root, bundledPackages(metafile))),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const path = join(dist, 'classify.zip');
  await rm(path, { force: true });
  refuseTooLarge(entries);
  return { path, sha256: await writeZip(entries, path), entries };
}

async function tensorflow(root: string, work: string, runsOn: 'lambda' | 'this machine'): Promise<Entry[]> {
  const toolchain = join(root, '.labelqueue/toolchain');
  const binding = join(work, 'tfjs_binding.node');
  await strip(join(toolchain, 'tfjs-binding/tfjs_binding.node'), binding);
  if (runsOn === 'lambda') await refuseTooNew(binding);
  const libraries = await compressedLibraries(join(toolchain, 'libtensorflow'), work);
  const compressed = (await readdir(libraries)).filter((name) => name.endsWith('.zst')).sort();
  const paths = [binding, ...compressed.map((name) => join(libraries, name))];
  return tensorflowEntries(paths, await strippedBytes(libraries));
}
