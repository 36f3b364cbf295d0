import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ProjectManifest } from './manifest.ts';
import { type PackageLock, withoutDevelopment } from './package-lock.ts';

/** What commands need when they run from the source. */
const SOURCES = ['bin', 'cli', 'dashboard', 'functions', 'local', 'models', 'setup', 'shared', 'worker', 'LICENSE'];
/** What `demo`, `model check` and `bench` label. */
const SAMPLES = ['samples/photos', 'samples/manifest.jsonl', 'samples/LICENSES.md'];
/** Figures and reasons are for those who change the project. */
const DOCS = /^docs\/[^/]+\.md$/;
/** What Python leaves, and what npm would leave out. */
const NOT_THESE = /(^|\/)(__pycache__|node_modules|\.[^/]*)(\/|$)/;

/** Copies the source into the package, with a `package.json` and a lock file without development dependencies. */
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
  const files = { 'package.json': project, 'package-lock.json': withoutDevelopment(lock, lockedRoot) };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** The first digits of a SHA-256 of the names and the contents of all files of a folder. */
export async function digestOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const digest = createHash('sha256');
  for (const file of files.sort()) {
    digest.update(`${relative(folder, file)}\n`).update(createHash('sha256').update(await readFile(file)).digest());
  }
  return digest.digest('hex').slice(0, 12);
}
