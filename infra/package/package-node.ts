import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { projectAt } from '../../setup/project.mjs';
import { SetupError } from '../../setup/tool.mjs';
import type { Architecture } from '../../shared/contract/worker-time.ts';
import { fileEntry } from './contents.ts';
import { nodeFor } from './lambda-toolchain.ts';
import { PLATFORMS } from './native-parts.ts';
import { PackageError } from './package-error.ts';
import { nodeName } from './package-path.ts';
import type { PackageWorkFolders } from './package-worker.ts';
import { assertRunsOnLambda } from './runs-on-lambda.ts';
import { writeZip } from './zip.ts';

/**
 * Makes the zip with Node for instances of EC2: Lambda brings its own, and the worker's package has no room for another
 * 127 MB. It is the Node of npm whose hash package-lock.json pins, with its licenses; so an instance fetches nothing from strangers.
 *
 * @throws {PackageError} when it cannot be fetched, or would not run on Amazon Linux 2023
 */
export async function packageNode(
  { root, dist }: Pick<PackageWorkFolders, 'root' | 'dist'>,
  architecture: Architecture,
): Promise<{ path: string; sha256: string }> {
  const folder = await nodeFolder(root, architecture);
  const binary = join(folder, 'bin/node');
  await assertRunsOnLambda(binary, architecture);
  await mkdir(dist, { recursive: true });
  const path = join(dist, `${nodeName(architecture)}.zip`);
  await rm(path, { force: true });
  const entries = [fileEntry(join(folder, 'LICENSE'), 'LICENSE'), fileEntry(binary, 'bin/node')];
  return { path, sha256: await writeZip(entries, path) };
}

/** @returns where it is, fetched unless it was before */
async function nodeFolder(root: string, architecture: Architecture): Promise<string> {
  try {
    return await nodeFor(projectAt(root), PLATFORMS[architecture]);
  } catch (error) {
    if (error instanceof SetupError) throw new PackageError(error.message, { cause: error });
    throw error;
  }
}
