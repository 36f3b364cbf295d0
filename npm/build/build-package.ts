import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundledPackages } from '../../infra/package/bundle.ts';
import { shippedPackages } from '../../infra/package/shipped-packages.ts';
import { bundle } from './bundle.ts';
import { makeDeclarations } from './declarations.ts';
import { writeJsonSchemas } from './json-schemas.ts';
import { manifestOf, type ProjectManifest } from './manifest.ts';
import { bundleNotices } from './notices.ts';
import type { PackageLock } from './package-lock.ts';
import { lockedParts, writeParts } from './parts.ts';
import { archive, copyFilesOfBundle, copyProject } from './project-files.ts';
import { copyVendored } from './vendor.ts';

export type BuildFolders = {
  /** The project's. */
  root: string;
  /** For what is made on the way. */
  work: string;
  /** The package's, made anew. */
  folder: string;
};

/** Makes the folder of the package that is published. */
export async function buildPackage({ root, work, folder }: BuildFolders): Promise<void> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as ProjectManifest;
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as PackageLock;
  const project = join(work, 'project');
  for (const made of [folder, project]) await rm(made, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await copyProject(root, project, manifest, lock);
  await copyFilesOfBundle(root, join(folder, 'files'));
  const parts = lockedParts(lock);
  await writeParts(parts, folder);
  const projectName = `${manifest.version}-${await archive(project, join(folder, 'project.tar.gz'))}`;
  const metafile = await bundle({ root, folder, parts, projectName });
  const vendored = await copyVendored(root, join(folder, 'vendor'));
  const shipped = shippedPackages(root, [...new Set([...bundledPackages(metafile), ...vendored])].sort());
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), bundleNotices(shipped));
  await writeJsonSchemas(join(folder, 'schemas'));
  await makeDeclarations({ root, work, types: join(folder, 'types'), reports: join(work, 'api') });
  await mkdir(join(folder, 'bin'), { recursive: true });
  await copyFile(join(root, 'npm/runtime/labelqueue.js'), join(folder, 'bin/labelqueue.js'));
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'README.md'), readmeOf(await readFile(join(root, 'docs/npm.md'), 'utf8')));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifestOf(manifest), null, 2)}\n`);
}

/** `docs/npm.md`; the pages that it links to are not in the package. */
function readmeOf(page: string): string {
  return page.replaceAll(/\[([^\]]+)\]\((?!https?:)([^)]+)\)/g, '$1');
}
