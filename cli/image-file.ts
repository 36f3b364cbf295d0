import { readFile } from 'node:fs/promises';
import { ImageFailure } from '../shared/contract/error-codes.ts';
import { MAX_IMAGE_BYTES } from '../shared/contract/limits.ts';

/** The bytes of an image on this machine; what cannot be read is the image's failure, as it is of a URL. */
export async function readImageFile(path: string): Promise<Buffer | ImageFailure> {
  try {
    const bytes = await readFile(path);
    return bytes.length > MAX_IMAGE_BYTES
      ? new ImageFailure('too_large', `expected at most ${MAX_IMAGE_BYTES} bytes, got ${bytes.length}`)
      : bytes;
  } catch (error) {
    const code = Error.isError(error) && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return new ImageFailure('not_found', 'no such file');
    if (code === 'EACCES') return new ImageFailure('forbidden', 'permission denied');
    if (code === 'EISDIR') return new ImageFailure('not_an_image', folderText(path));
    throw error;
  }
}

function folderText(path: string): string {
  const folder = path.replace(/\/+$/, '');
  return `expected a file, got a folder; for a folder: ${folder}/*.jpg, or enqueue ${folder}`;
}
