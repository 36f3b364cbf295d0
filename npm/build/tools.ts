import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { takeLock } from '../../setup/lock.mjs';
import { createFolderAtomically } from '../../shared/runtime/atomic-folder.ts';
import { npmCi } from '../runtime/npm-ci.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What is installed, in which versions. */
const WANTED = join(import.meta.dirname, '../tools');
const FILES = ['package.json', 'package-lock.json'];

/**
 * What the package is made and checked with: API Extractor, publint, Are The Types Wrong, and Node 22. These are not
 * development dependencies, since 260 MB more would make each first `npm start` slower. Installed at their first use.
 *
 * @returns the folder that holds their `node_modules`
 */
export async function packageTools(): Promise<string> {
  const lock = await readFile(join(WANTED, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const place = join(ROOT, '.labelqueue/npm-tools', digest);
  await mkdir(dirname(place), { recursive: true });
  const release = await takeLock(`${place}.lock`);
  await createFolderAtomically(place, install).finally(release);
  return place;
}

async function install(unfinished: string): Promise<void> {
  process.stderr.write('installing npm/tools, once …\n');
  for (const file of FILES) await copyFile(join(WANTED, file), join(unfinished, file));
  const { code, output } = await npmCi(unfinished);
  if (code !== 0) throw new Error(`npm could not install npm/tools:\n${output}`);
}

/** Finds modules as one in the folder of the tools would. */
export async function requireOfTools(): Promise<NodeJS.Require> {
  return createRequire(join(await packageTools(), 'from-here.js'));
}

/** The Node 22 of the tools; undefined where npm has none for this platform. */
export async function node22(): Promise<string | undefined> {
  const name = `node-${process.platform}-${process.arch}`;
  const { optionalDependencies } = JSON.parse(await readFile(join(WANTED, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  return Object.hasOwn(optionalDependencies, name)
    ? join(await packageTools(), 'node_modules', name, 'bin/node')
    : undefined;
}
