import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import type { Part } from '../runtime/fetched-part.ts';
import { type PackageLock, withDependencies } from './package-lock.ts';

/** What is fetched at its first use. */
const PARTS = [
  { package: '@duckdb/node-api', name: 'DuckDB', folder: 'duckdb', purpose: 'reading and writing tables' },
  { package: 'sharp', name: 'sharp', folder: 'sharp', purpose: 'thumbnails' },
] as const;

/** A part with the two files that `npm ci` takes. */
export type LockedPart = Part & { files: Record<'package.json' | 'package-lock.json', string> };

/** @param lock the project's: parts have the same versions and hashes */
export function lockedParts(lock: PackageLock): LockedPart[] {
  return PARTS.map(({ package: name, name: title, folder, purpose }) => {
    const { version } = lock.packages[`node_modules/${name}`] ?? {};
    if (version === undefined) throw new Error(`expected ${name} in package-lock.json`);
    const manifest = { private: true, dependencies: { [name]: version } };
    const files = {
      'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
      'package-lock.json': `${JSON.stringify(withDependencies(lock, [name], manifest), null, 2)}\n`,
    };
    const digest = createHash('sha256').update(files['package-lock.json']).digest('hex').slice(0, 12);
    return { package: name, title: `${title} ${version}`, folder: `${folder}-${version}-${digest}`, purpose, files };
  });
}

/** @param folder the package's */
export async function writeParts(parts: readonly LockedPart[], folder: string): Promise<void> {
  for (const part of parts) {
    const place = join(folder, 'parts', part.folder);
    await mkdir(place, { recursive: true });
    for (const [file, text] of Object.entries(part.files)) await writeFile(join(place, file), text);
  }
}

/**
 * Turns imports of the parts into fetches: a module that imports one is loaded when the part is there.
 *
 * @param root the project's folder, whose packages say which names a part exports
 */
export function partImports(root: string, parts: readonly LockedPart[]): Plugin {
  const require = createRequire(join(root, 'package.json'));
  return {
    name: 'parts',
    setup(build) {
      for (const { files: _files, ...part } of parts) {
        build.onResolve({ filter: new RegExp(`^${part.package}$`) }, () => ({
          path: part.package,
          namespace: 'parts',
        }));
        build.onLoad({ filter: new RegExp(`^${part.package}$`), namespace: 'parts' }, () => ({
          contents: partModule(part, Object.keys(require(part.package))),
          resolveDir: join(root, 'npm/runtime'),
          loader: 'js',
        }));
      }
    },
  };
}

function partModule(part: Part, names: readonly string[]): string {
  const exported = names.filter(
    (name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default' && name !== '__esModule',
  );
  return `import { fetchedPart } from './fetched-part.ts';
const part = await fetchedPart(${JSON.stringify(part)});
export default part.default ?? part;
${exported.map((name) => `export const ${name}_ = part[${JSON.stringify(name)}]; export { ${name}_ as ${name} };`).join('\n')}
`;
}
