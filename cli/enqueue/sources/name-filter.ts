import { posix } from 'node:path';
import picomatch from 'picomatch';

/** Endings of files in the six formats that are decoded; what a file holds shows then. */
const IMAGE_ENDINGS = new Set([
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.jfi', '.jif', '.pjpeg', '.pjp'],
  ...['.png', '.apng', '.webp', '.gif', '.avif', '.avifs', '.tif', '.tiff'],
]);

/** Which of the names under a prefix or folder are meant; globs are relative to it, and ignore case. */
export type NameFilter = { include: readonly string[]; exclude: readonly string[] };

/**
 * @returns why a name, with `/` between its folders, is not meant; undefined when it is. Only globs are matched as
 *   paths: a key of S3 may hold `//`, `./` and `../`.
 */
export function nameFilter({ include, exclude }: NameFilter): (name: string) => string | undefined {
  const options = { nocase: true, dot: true };
  const included = include.length > 0 ? picomatch([...include], options) : undefined;
  const excluded = exclude.length > 0 ? picomatch([...exclude], options) : undefined;
  return (name) => {
    if (included === undefined ? !hasImageEnding(name) : !included(name)) {
      return included === undefined ? `${endingOf(name)}: not an ending of images (see --include)` : 'not in --include';
    }
    return excluded?.(name) ? 'in --exclude' : undefined;
  };
}

function hasImageEnding(name: string): boolean {
  return IMAGE_ENDINGS.has(posix.extname(name).toLowerCase());
}

/** Names are text of strangers: only what looks like an ending is shown. */
function endingOf(name: string): string {
  const ending = posix.extname(name).toLowerCase();
  return /^\.[a-z0-9]{1,8}$/.test(ending) ? ending : 'no or another ending';
}
