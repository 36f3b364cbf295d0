import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A file of the package: its path in the zip, with slashes, and its content or where that lies. */
export type Entry = { name: string; bytes: number; from: string | Buffer };

/** Before 1980 a zip has no dates. As local time, since that is what it writes; so it is the same anywhere. */
const SAME_FOR_ALL = {
  mtime: new Date(1980, 0, 1),
  forceDosTimestamp: true,
  // Lambda runs the function as a user of its own.
  mode: 0o100755,
};

/**
 * Writes a zip that depends on the names and contents of its files alone.
 *
 * @returns the SHA-256 of the zip, in hex
 */
export async function writeZip(entries: readonly Entry[], path: string): Promise<string> {
  const zip = new ZipFile();
  const failed = new Promise<never>((_, reject) => zip.once('error', reject));
  for (const { name, from } of entries) {
    const options = { ...SAME_FOR_ALL, compress: !name.endsWith('.zst') };
    if (typeof from === 'string') zip.addFile(from, name, options);
    else zip.addBuffer(from, name, options);
  }
  zip.end();
  const hash = createHash('sha256');
  const unfinished = `${path}.unfinished`;
  const written = pipeline(
    zip.outputStream,
    async function* (chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(unfinished),
  );
  await Promise.race([written, failed]);
  await rename(unfinished, path);
  return hash.digest('hex');
}
