import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../../setup/lock.mjs';
import { platformNamed } from '../../setup/pinned.mjs';
import { bundledPackages, bundleWorker } from './bundle.ts';
import { companionsIn } from './companions.ts';
import { compressedLibraries, strippedBytes } from './compressed-libraries.ts';
import {
  fileEntry,
  folderEntries,
  isLibvips,
  modelEntries,
  type PackageFolders,
  sharpEntries,
  sharpPackages,
  tensorflowEntries,
  tensorflowNotices,
  textEntry,
} from './contents.ts';
import { copyWithoutSymbols } from './elf/without-symbols.ts';
import { libvipsLibraries } from './libvips-libraries.ts';
import { type NativeParts, nativeParts, type PackageTarget } from './native-parts.ts';
import { noticesText, type Shipped } from './notices.ts';
import { PackageError } from './package-error.ts';
import { packageName } from './package-path.ts';
import { assertRunsOnLambda } from './runs-on-lambda.ts';
import { type SbomFacts, sbomText } from './sbom.ts';
import { shippedModel } from './shipped-model.ts';
import { shippedPackages } from './shipped-packages.ts';
import { assertFitsLambda } from './sizes.ts';
import { type Entry, writeZip } from './zip.ts';

/** A package that was made: the zip, and its bill of materials beside it. */
export type WorkerPackage = { path: string; sha256: string; sbomPath: string; entries: readonly Entry[] };

/** `root` is the project, `work` keeps what the next packaging can use again. */
export type PackageWorkFolders = { root: string; work: string; dist: string };

const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/**
 * Makes the zip: the worker with everything that it needs but Node; and a file beside it that lists what is in it. The same
 * sources and tools give the same bytes.
 *
 * @throws {PackageError} when a tool is missing, or Lambda would not take or not run the package
 */
export async function packageWorker(folders: PackageWorkFolders, target: PackageTarget): Promise<WorkerPackage> {
  const { root, work, dist } = folders;
  if (process.platform !== 'linux') {
    throw new PackageError(
      `a package holds binaries for Lambda, so it is made on Linux, not on ${process.platform}: use a Linux machine or a container`,
    );
  }
  await mkdir(work, { recursive: true });
  await mkdir(dist, { recursive: true });
  // Two packagings at once would compress the same libraries into the same place.
  const release = await takeLock(join(work, 'package.lock'));
  try {
    return await makePackage(folders, await nativeParts(root, target));
  } finally {
    release();
  }
}

async function makePackage({ root, work, dist }: PackageWorkFolders, native: NativeParts): Promise<WorkerPackage> {
  const bundle = join(work, 'bundle');
  const metafile = await bundleWorker(root, bundle);
  const sharp = await sharpPackages(root, native.platform, native.sharp);
  const shipped = shippedIn(root, bundledPackages(metafile), sharp);
  const entries = [
    ...folderEntries(bundle, ''),
    ...(await sharpBinaries(sharp, native)),
    ...modelEntries(root),
    ...(await tensorflow(work, native)),
    fileEntry(join(root, 'LICENSE'), 'LICENSE'),
    textEntry(NOTICES, noticesText(shipped)),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const name = packageName(native.architecture);
  const path = join(dist, `${name}.zip`);
  const sbomPath = join(dist, `${name}.cdx.json`);
  for (const old of [path, sbomPath]) await rm(old, { force: true });
  assertFitsLambda(entries);
  const sha256 = await writeZip(entries, path);
  await writeFile(sbomPath, sbomText({ ...shipped, ...sbomFacts(root, native), sha256 }));
  return { path, sha256, sbomPath, entries };
}

function shippedIn(root: string, bundled: readonly string[], sharp: PackageFolders): Shipped {
  const folders = [...new Set([...bundled, ...sharp.keys()])].sort();
  const libvips = [...sharp].filter(([folder]) => isLibvips(folder));
  return {
    packages: shippedPackages(root, folders, sharp),
    libraries: libvips.flatMap(([, place]) => libvipsLibraries(place)),
  };
}

function sbomFacts(
  root: string,
  { platform, libtensorflow }: NativeParts,
): Pick<SbomFacts, 'version' | 'tensorflow' | 'model'> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { wheel, libraries } = platformNamed(platform);
  return {
    version,
    tensorflow: {
      package: wheel.package,
      version: wheel.version,
      sha256: wheel.sha256,
      companions: companionsIn(join(libtensorflow, 'lib'), libraries),
    },
    model: shippedModel(join(root, 'models/efficientnet-lite0')),
  };
}

async function sharpBinaries(sharp: PackageFolders, { architecture, runsOnLambda }: NativeParts): Promise<Entry[]> {
  const entries = sharpEntries(sharp);
  const native = entries.filter(({ name }) => /\.(node|so[.\d]*)$/.test(name));
  if (runsOnLambda) for (const { from } of native) await assertRunsOnLambda(String(from), architecture);
  return entries;
}

async function tensorflow(work: string, native: NativeParts): Promise<Entry[]> {
  const { libtensorflow, architecture, runsOnLambda } = native;
  const libraries = (await readdir(join(libtensorflow, 'lib'))).map((name) => join(libtensorflow, 'lib', name));
  if (runsOnLambda) for (const path of [native.binding, ...libraries]) await assertRunsOnLambda(path, architecture);
  const binding = join(work, 'tfjs_binding.node');
  await copyWithoutSymbols(native.binding, binding);
  const folder = await compressedLibraries(libtensorflow, work);
  const compressed = (await readdir(folder)).filter((name) => name.endsWith('.zst')).sort();
  const paths = [binding, ...compressed.map((name) => join(folder, name))];
  return [...(await tensorflowEntries(paths, await strippedBytes(folder))), ...tensorflowNotices(libtensorflow)];
}
