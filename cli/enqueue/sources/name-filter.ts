import { posix } from 'node:path';
import picomatch from 'picomatch';

/** File extensions of the six supported formats; the content is checked later. */
const IMAGE_ENDINGS = new Set([
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.jfi', '.jif', '.pjpeg', '.pjp'],
  ...['.png', '.apng', '.webp', '.gif', '.avif', '.avifs', '.tif', '.tiff'],
]);

/** Selects names under a prefix or folder; globs are relative to it and ignore case. */
export type NameFilter = { include: readonly string[]; exclude: readonly string[] };

/**
 * @returns why a name with `/` between folders is excluded; undefined if it is included. Only globs are matched as
 *   paths: a key of S3 may hold `//`, `./` and `../`.
 */
export function nameFilter({ include, exclude }: NameFilter): (name: string) => string | undefined {
  const options = { nocase: true, dot: true };
  const included = include.length > 0 ? picomatch([...include], options) : undefined;
  const excluded = exclude.length > 0 ? picomatch([...exclude], options) : undefined;
  return (name) => {
    if (included === undefined ? !hasImageEnding(name) : !included(name)) {
      return included === undefined
        ? `${endingOf(name)}: not a file extension of images (see --include)`
        : 'not in --include';
    }
    return excluded?.(name) ? 'in --exclude' : undefined;
  };
}

function hasImageEnding(name: string): boolean {
  return IMAGE_ENDINGS.has(posix.extname(name).toLowerCase());
}

/** Names are untrusted text: only what looks like a file extension is shown. */
function endingOf(name: string): string {
  const ending = posix.extname(name).toLowerCase();
  return /^\.[a-z0-9]{1,8}$/.test(ending) ? ending : 'no or another extension';
}
