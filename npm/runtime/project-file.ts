import { join } from 'node:path';
import { PACKAGE } from './folders.ts';

/** Where a file or folder of the project, that the bundle reads, is in the package. */
export function projectFile(path: string): string {
  return join(PACKAGE, 'files', path);
}

/** In place of `createRequire`: finds the main files of packages whose files browsers load. */
export function vendoredRequire(): { resolve(name: string): string } {
  return { resolve: (name) => join(PACKAGE, 'vendor', name, 'main.js') };
}
