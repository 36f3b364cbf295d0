import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Packages whose files browsers load, and which files: those beside the main file of each, see `project-file.ts`. */
const VENDORED = [
  ['chart.js', 'chart.umd.min.js'],
  ['preact', 'preact.mjs'],
] as const;

/**
 * Copies files for browsers into the package.
 *
 * @returns the folders in the project of the packages that they are from
 */
export async function copyVendored(root: string, folder: string): Promise<string[]> {
  const require = createRequire(join(root, 'package.json'));
  const taken = new Set<string>();
  for (const [name, file] of VENDORED) {
    const main = mainFile(require, name);
    if (main === undefined) continue;
    await mkdir(join(folder, name), { recursive: true });
    await copyFile(join(dirname(main), file), join(folder, name, file));
    taken.add(`node_modules/${name}`);
  }
  return [...taken];
}

/** The page does without a package that is not installed. */
function mainFile(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
