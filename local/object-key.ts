import { sep } from 'node:path';
import { S3Error } from './fauxqs-parts.ts';

/** The limit of most file systems for a file name. */
const MAX_NAME_BYTES = 255;
/** The longest suffix of a key's last segment. */
const LONGEST_ENDING = '.meta.json%new';

/**
 * Objects are kept as files whose path is their key. Refuses keys that would lead out of the bucket's folder, and those
 * that would be the same file as another key (`a//b` and `a/b`). One `/` at the end marks a folder in S3 and is
 * allowed.
 *
 * @throws {S3Error} `InvalidArgument` or `KeyTooLongError`
 */
export function checkObjectKey(key: string): void {
  const segments = key.split('/');
  if (segments.length > 1 && segments.at(-1) === '') segments.pop();
  if (key.includes('\0') || key.includes('\\') || segments.some((segment) => NO_NAMES.has(segment))) {
    throw new S3Error(
      'InvalidArgument',
      'expected a key of names with one / between them: no . or .., no backslash, no NUL, no / in front',
      400,
    );
  }
  if (segments.some((segment) => nameBytes(segment) > MAX_NAME_BYTES)) {
    throw new S3Error('KeyTooLongError', `expected at most ${MAX_NAME_BYTES} bytes between two /`, 400);
  }
}

const NO_NAMES = new Set(['', '.', '..']);

function nameBytes(segment: string): number {
  return Buffer.byteLength(fileName(segment) + LONGEST_ENDING);
}

/**
 * The path of an object below the folder of all buckets, without the suffixes of its two files: fauxqs's own layout.
 */
export function objectPath(bucket: string, key: string): string {
  return ['buckets', bucket, 'objects', ...fileName(key).split('/')].join(sep);
}

/** Characters that some file systems do not allow. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among them
const UNSAFE = /[<>:"|?*\\%\x00-\x1f]/g;

function fileName(key: string): string {
  return key.replace(UNSAFE, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
