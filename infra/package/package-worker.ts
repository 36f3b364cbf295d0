import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TENSORFLOW_VERSION } from '../../setup/pinned.mjs';
import { platformNamed } from '../../setup/platform.mjs';
import { takeLock } from '../../setup/setup-lock.mjs';
import { bundledPackages, bundleWorker } from './bundle.ts';
import { compressedLibraries, strip, strippedBytes } from './compressed-libraries.ts';
import {
  fileEntry,
  folderEntries,
  LIBVIPS,
  modelEntries,
  sharpEntries,
  sharpPackages,
  tensorflowEntries,
  tensorflowNotices,
  textEntry,
} from './contents.ts';
import { libvipsLibraries } from './libvips-libraries.ts';
import { noticesText, type Shipped } from './notices.ts';
import { PackageError } from './package-error.ts';
import { refuseTooNew } from './runs-on-lambda.ts';
import { type SbomFacts, sbomText } from './sbom.ts';
import { shippedModel } from './shipped-model.ts';
import { shippedPackages } from './shipped-packages.ts';
import { refuseTooLarge } from './sizes.ts';
import { type Entry, writeZip } from './zip.ts';

/** A package that was made: the zip, and its bill of materials beside it. */
export type WorkerPackage = { path: string; sha256: string; sbomPath: string; entries: readonly Entry[] };

const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/**
 * Makes `classify.zip`: the worker with everything that it needs but Node; and `classify.cdx.json`, which lists
 * what is in it. The same sources and tools give the same bytes.
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
  const sharp = await sharpPackages(root);
  const shipped = shippedIn(root, [...bundledPackages(metafile), ...sharp]);
  const entries = [
    ...folderEntries(bundle, ''),
    ...sharpEntries(root, sharp),
    ...modelEntries(root),
    ...(await tensorflow(root, work, runsOn)),
    fileEntry(join(root, 'LICENSE'), 'LICENSE'),
    textEntry(NOTICES, noticesText(shipped)),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const path = join(dist, 'classify.zip');
  const sbomPath = join(dist, 'classify.cdx.json');
  for (const old of [path, sbomPath]) await rm(old, { force: true });
  refuseTooLarge(entries);
  const sha256 = await writeZip(entries, path);
  await writeFile(sbomPath, sbomText({ ...shipped, ...sbomFacts(root), sha256 }));
  return { path, sha256, sbomPath, entries };
}

function shippedIn(root: string, folders: readonly string[]): Shipped {
  const libraries = libvipsLibraries(join(root, 'node_modules', LIBVIPS));
  return { packages: shippedPackages(root, [...new Set(folders)].sort()), libraries };
}

function sbomFacts(root: string): Pick<SbomFacts, 'version' | 'tensorflow' | 'model'> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { wheel } = platformNamed(`${process.platform}-${process.arch}`);
  return {
    version,
    tensorflow: { package: wheel.package, version: TENSORFLOW_VERSION, sha256: wheel.sha256 },
    model: shippedModel(join(root, 'models/efficientnet-lite0')),
  };
}

async function tensorflow(root: string, work: string, runsOn: 'lambda' | 'this machine'): Promise<Entry[]> {
  const toolchain = join(root, '.labelqueue/toolchain');
  const binding = join(work, 'tfjs_binding.node');
  await strip(join(toolchain, 'tfjs-binding/tfjs_binding.node'), binding);
  if (runsOn === 'lambda') await refuseTooNew(binding);
  const libtensorflow = join(toolchain, 'libtensorflow');
  const libraries = await compressedLibraries(libtensorflow, work);
  const compressed = (await readdir(libraries)).filter((name) => name.endsWith('.zst')).sort();
  const paths = [binding, ...compressed.map((name) => join(libraries, name))];
  return [...(await tensorflowEntries(paths, await strippedBytes(libraries))), ...tensorflowNotices(libtensorflow)];
}
