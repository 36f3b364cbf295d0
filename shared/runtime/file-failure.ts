import { visibleLine } from '../contract/visible-text.ts';

/** Descriptions of file system errors. */
const MEANINGS = new Map([
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'expected a file, got a folder'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the disk is read-only'],
  ['ENOSPC', 'no space left on the disk'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'the file would be larger than this system allows'],
  ['EIO', 'the disk or the terminal does not answer'],
  ['EMFILE', 'too many open files: raise the limit, e.g. ulimit -n 4096'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['ELOOP', 'the symbolic links go in circles'],
  ['EBUSY', 'it is in use'],
  ['EEXIST', 'it exists already'],
  ['ENOTEMPTY', 'the folder is not empty'],
  ['ETXTBSY', 'it is a program that is running'],
  ['EPIPE', 'the reader is gone'],
]);

/** One line for an error of the file system; undefined for any other error. */
export function fileFailureText(error: unknown): string | undefined {
  if (!Error.isError(error)) return undefined;
  const { code = '', path, syscall }: NodeJS.ErrnoException = error;
  const meaning = MEANINGS.get(code) ?? (path !== undefined && syscall !== undefined ? code : undefined);
  if (meaning === undefined) return undefined;
  return path === undefined ? meaning : `${visibleLine(path)}: ${meaning}`;
}

/**
 * For `catch`: sets the path that the user knows. Write errors do not name their file, and those of a temporary file name that.
 */
export function ofFile(path: string): (error: unknown) => never {
  return (error) => {
    if (Error.isError(error) && 'code' in error) Object.assign(error, { path });
    throw error;
  };
}
