import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { createFolderAtomically } from '../../shared/runtime/atomic-folder.ts';
import { copyWithoutSymbols, WITHOUT_SYMBOLS_VERSION } from './elf/without-symbols.ts';

/** Higher levels take twice the time for 1 % less; see docs/decisions/cold-start.md. */
const LEVEL = 9;

const SIZE = 'unpacked-bytes';

/**
 * TensorFlow's libraries without their symbol tables, compressed: `<library>.zst` each. Kept from one
 * packaging to the next, since it takes longer than all the rest.
 *
 * @param folder with `lib/` and the stamp that says what it was made from, as the setup makes it
 * @param cache where what was made is kept
 * @returns the folder with the compressed libraries
 * @throws {PackageError} when one is not a library
 */
export async function compressedLibraries(folder: string, cache: string): Promise<string> {
  const stamp = await readFile(join(folder, '.labelqueue-stamp.json'), 'utf8');
  const tools = [WITHOUT_SYMBOLS_VERSION, process.versions['zstd'], LEVEL];
  const key = createHash('sha256')
    .update(JSON.stringify([stamp, ...tools]))
    .digest('hex')
    .slice(0, 16);
  const place = join(cache, `libraries-${key}`);
  await mkdir(cache, { recursive: true });
  await createFolderAtomically(place, (unfinished) => compressInto(unfinished, folder));
  return place;
}

async function compressInto(unfinished: string, folder: string): Promise<void> {
  const names = await readdir(join(folder, 'lib'));
  const sizes = await Promise.all(
    names.map(async (name) => {
      const stripped = join(unfinished, name);
      await copyWithoutSymbols(join(folder, 'lib', name), stripped);
      await compress(stripped, `${stripped}.zst`);
      const { size } = await stat(stripped);
      await rm(stripped);
      return size;
    }),
  );
  await writeFile(join(unfinished, SIZE), String(sizes.reduce((sum, size) => sum + size, 0)));
}

/** Bytes that the libraries of such a folder have once they are unpacked. */
export async function strippedBytes(folder: string): Promise<number> {
  return Number(await readFile(join(folder, SIZE), 'utf8'));
}

async function compress(from: string, to: string): Promise<void> {
  const { size } = await stat(from);
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  const chunkSize = 1024 * 1024;
  await pipeline(
    createReadStream(from, { highWaterMark: chunkSize }),
    createZstdCompress({ params, chunkSize, pledgedSrcSize: size }),
    createWriteStream(to),
  );
}
