import { join } from 'node:path';
import { PACKAGE } from './folders.ts';

/** The place in the package of a project file or folder that the bundle reads. */
export function projectFile(path: string): string {
  return join(PACKAGE, 'files', path);
}

/** Replaces `createRequire`: resolves packages whose files browsers load. */
export function vendoredRequire(): { resolve(name: string): string } {
  return { resolve: (name) => join(PACKAGE, 'vendor', name, 'main.js') };
}
