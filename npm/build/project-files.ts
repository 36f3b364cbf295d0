import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ProjectManifest } from './manifest.ts';
import { type PackageLock, withDependencies } from './package-lock.ts';

/** What commands need when they run from the source. */
const SOURCES = ['bin', 'cli', 'dashboard', 'functions', 'local', 'models', 'setup', 'shared', 'worker', 'LICENSE'];
/** What `demo`, `model check` and `bench` label. */
const SAMPLES = ['samples/photos', 'samples/manifest.jsonl', 'samples/LICENSES.md'];
/** Figures and reasons are for those who change the project. */
const DOCS = /^docs\/[^/]+\.md$/;
/** What Python leaves, and what npm would leave out. */
const NOT_THESE = /(^|\/)(__pycache__|node_modules|\.[^/]*)(\/|$)/;

/** What commands of the bundle read beside their modules: pages, styles, scripts, texts. */
const READ_BY_THE_BUNDLE = ['dashboard/page', 'cli/report', 'docs/runbook.md'];

/** Copies the source into a folder, with a `package.json` and a lock file without development dependencies. */
export async function copyProject(root: string, folder: string, manifest: ProjectManifest, lock: PackageLock) {
  const docs = (await readdir(join(root, 'docs'))).map((name) => `docs/${name}`).filter((name) => DOCS.test(name));
  await mkdir(folder, { recursive: true });
  for (const path of [...SOURCES, ...SAMPLES, ...docs]) {
    await cp(join(root, path), join(folder, path), {
      recursive: true,
      filter: (from) => !NOT_THESE.test(relative(root, from)),
    });
  }
  const { devDependencies: _devDependencies, ...project } = manifest;
  const { devDependencies: _locked, ...lockedRoot } = lock.packages[''] ?? {};
  const names = Object.keys({ ...project.dependencies, ...project.optionalDependencies });
  const files = {
    'package.json': project,
    'package-lock.json': withDependencies(lock, names, lockedRoot),
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** Copies what the bundle reads of the project. */
export async function copyFilesOfBundle(root: string, folder: string): Promise<void> {
  for (const path of READ_BY_THE_BUNDLE) {
    await cp(join(root, path), join(folder, path), { recursive: true, filter: (from) => !/\.ts$/.test(from) });
  }
}

/** More than the project has. */
const MAX_ARCHIVE_BYTES = 200_000_000;

/**
 * Packs the files of a folder: one file is installed in a quarter of the time of eight hundred.
 *
 * @returns the first digits of a SHA-256 of their names and contents
 */
export async function archive(folder: string, file: string): Promise<string> {
  const names = await namesIn(folder);
  const list = `${folder}.names`;
  await writeFile(list, `${names.join('\n')}\n`);
  const { stdout } = await promisify(execFile)('tar', ['-c', '-f', '-', '--format=ustar', '-C', folder, '-T', list], {
    encoding: 'buffer',
    maxBuffer: MAX_ARCHIVE_BYTES,
  });
  await writeFile(file, await promisify(gzip)(stdout, { level: 9 }));
  const digest = createHash('sha256');
  for (const name of names) {
    digest.update(`${name}\n`).update(
      createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest(),
    );
  }
  return digest.digest('hex').slice(0, 12);
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))).sort();
}
