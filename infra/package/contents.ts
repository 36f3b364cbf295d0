import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { TensorflowManifest } from '../../shared/runtime/unpack-tensorflow.ts';
import { PackageError } from './package-error.ts';
import type { Entry } from './zip.ts';

/** What a model folder is at run time, and what its licenses ask to go with it. */
const MODEL_FILES = [
  'saved_model.pb',
  'int8/saved_model.pb',
  'labels.txt',
  'classifier.json',
  'LICENSE',
  'labels.LICENSE',
];

/** What shows the worker which of the models its processor is made for. */
const PROCESSOR_TRIAL = 'models/integer-sums';

/** As the wheel of TensorFlow has them; what is linked into its libraries is in the second. */
const TENSORFLOW_NOTICES = ['LICENSE', 'THIRD_PARTY_NOTICES.txt'];

/** All files of a folder, at the same paths below `as` in the zip. */
export function folderEntries(folder: string, as: string, wanted: (path: string) => boolean = () => true): Entry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name))
    .filter((path) => wanted(relative(folder, path)))
    .map((path) => fileEntry(path, `${as}${relative(folder, path)}`));
}

export function modelEntries(root: string): Entry[] {
  const folder = 'models/efficientnet-lite0';
  return [
    ...folderEntries(join(root, folder), `${folder}/`, (path) => MODEL_FILES.includes(path)),
    ...folderEntries(join(root, PROCESSOR_TRIAL), `${PROCESSOR_TRIAL}/`, (path) => path === 'saved_model.pb'),
  ];
}

/** Where npm packages are that something of is in the package: their folders on this machine, by those in the project. */
export type PackageFolders = ReadonlyMap<string, string>;

/** The package of libvips, with all the libraries that it needs. */
export function isLibvips(name: string): boolean {
  return /(?:^|\/)@img\/sharp-libvips-[^/]+$/.test(name);
}

/**
 * sharp stays as its packages, since it looks its binaries up in node_modules.
 *
 * @param root the project's folder
 * @param platform of the function, such as `linux-arm64`
 * @param native folder with the packages of that platform in `node_modules/`
 * @returns sorted
 * @throws {PackageError} when one is not installed
 */
export async function sharpPackages(root: string, platform: string, native: string): Promise<PackageFolders> {
  const pure = await withDependencies(root, ['sharp']);
  const folders = [
    ...pure.map((name) => [root, name] as const),
    ...[`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`].map((name) => [native, name] as const),
  ].map(([from, name]) => [`node_modules/${name}`, join(from, 'node_modules', name)] as const);
  return new Map(folders.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function sharpEntries(folders: PackageFolders): Entry[] {
  return [...folders].flatMap(([folder, place]) => {
    const wanted = (path: string) => isForRunTime(path) || (isLibvips(folder) && path === 'README.md');
    return folderEntries(place, `${folder}/`, wanted);
  });
}

/** Neither sources nor documentation; the README of libvips, though, is where its licenses are. */
function isForRunTime(path: string): boolean {
  return !/(^|\/)(src|install|include|cmake|node_modules)\/|\.(md|d\.[cm]?ts|h|map|gyp|pc)$/.test(path);
}

async function withDependencies(root: string, names: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const queue = [...names];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (found.has(name)) continue;
    found.add(name);
    queue.push(...Object.keys(await dependenciesOf(root, name)));
  }
  return [...found].sort();
}

async function dependenciesOf(root: string, name: string): Promise<Record<string, string>> {
  const path = join(root, 'node_modules', name, 'package.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')).dependencies ?? {};
  } catch (cause) {
    throw new PackageError(`expected the package ${name} in node_modules: run npm test or npm start once`, { cause });
  }
}

/**
 * The binding and the compressed libraries, with the manifest that names the folder they are unpacked to.
 *
 * @param paths of the files
 * @param unpackedBytes of all of them
 */
export async function tensorflowEntries(paths: readonly string[], unpackedBytes: number): Promise<Entry[]> {
  const hash = createHash('sha256');
  const entries: Entry[] = [];
  for (const path of paths) {
    const name = basename(path);
    hash.update(name);
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    entries.push(fileEntry(path, `tensorflow/${name}`));
  }
  const manifest: TensorflowManifest = { id: hash.digest('hex').slice(0, 16), bytes: unpackedBytes };
  return [...entries, textEntry('tensorflow/manifest.json', `${JSON.stringify(manifest)}\n`)];
}

/**
 * What TensorFlow's license asks to go with it.
 *
 * @param folder of libtensorflow, as the setup makes it
 */
export function tensorflowNotices(folder: string): Entry[] {
  return TENSORFLOW_NOTICES.map((name) => fileEntry(join(folder, name), `tensorflow/${name}`));
}

export function textEntry(name: string, text: string): Entry {
  const from = Buffer.from(text);
  return { name, bytes: from.length, from };
}

export function fileEntry(from: string, name: string): Entry {
  return { name, bytes: statSync(from).size, from };
}
