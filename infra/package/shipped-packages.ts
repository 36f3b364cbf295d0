import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PackageError } from './package-error.ts';

/** An npm package of which something is in the zip. */
export type ShippedPackage = {
  /** In the project, such as `node_modules/undici`: also its key in package-lock.json. */
  folder: string;
  name: string;
  version: string;
  /** An SPDX expression, such as `MIT` or `(BSD-3-Clause AND Apache-2.0)`. */
  license: string;
  /** The texts of its license files; some packages have none. */
  texts: readonly string[];
  /** What it says about itself where it has no license file. */
  author: string | undefined;
  readme: string | undefined;
  /** Base64, of the archive that npm checked. */
  sha512: string;
  /** The folders of those shipped packages that it asks for. */
  dependencies: readonly string[];
};

const LICENCE_FILE = /^(licen[cs]e|notice|copying)/i;

/**
 * @param root the project's folder
 * @param folders of packages in it, such as `node_modules/undici`, or those that its setup would have on another platform
 * @param elsewhere where the latter are
 * @throws {PackageError} when one names no license, or is not pinned by package-lock.json
 */
export function shippedPackages(
  root: string,
  folders: readonly string[],
  elsewhere: ReadonlyMap<string, string> = new Map(),
): ShippedPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const shipped = new Set(folders);
  return folders.map((folder) => {
    const place = elsewhere.get(folder) ?? join(root, folder);
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Manifest;
    const { name, version, license, author } = manifest;
    const asked = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    if (typeof license !== 'string') throw new PackageError(`expected "license" in ${folder}/package.json, got none`);
    return {
      folder,
      name,
      version,
      license: license,
      texts: textsOf(place),
      author: typeof author === 'string' ? author : author?.name,
      readme: licenseSection(join(place, 'README.md')),
      sha512: sha512Of(lock, folder),
      dependencies: asked.map((other) => found(other, folder, shipped)).filter((other) => other !== undefined),
    };
  });
}

type Lock = { packages: Record<string, { integrity?: string }> };
type Manifest = { name: string; version: string; license?: unknown; author?: string | { name: string } } & {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

/** As Node looks for a package: in the folder of who asks, then in those above it. */
function found(name: string, asker: string, shipped: ReadonlySet<string>): string | undefined {
  const above = asker
    .split('/node_modules/')
    .map((_, index, parts) => parts.slice(0, index + 1).join('/node_modules/'));
  const places = [...above.reverse().map((folder) => `${folder}/node_modules/${name}`), `node_modules/${name}`];
  return places.find((place) => shipped.has(place));
}

function sha512Of({ packages }: Lock, folder: string): string {
  const sha512 = /^sha512-(\S+)$/.exec(packages[folder]?.integrity ?? '')?.[1];
  if (sha512 === undefined) throw new PackageError(`expected a SHA-512 of ${folder} in package-lock.json, got none`);
  return sha512;
}

function textsOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((found) => found.isFile() && LICENCE_FILE.test(found.name))
    .map((found) => readFileSync(join(folder, found.name), 'utf8').trim());
}

/** What stands under the heading License, up to the next heading. */
function licenseSection(readme: string): string | undefined {
  const text = existsSync(readme) ? readFileSync(readme, 'utf8') : '';
  return /^#+ *licen[cs]e\s*\n([\s\S]*?)(?=^#|(?![\s\S]))/im.exec(text)?.[1]?.trim();
}
