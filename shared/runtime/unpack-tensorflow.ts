import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, lstat, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { createFolderAtomically } from './atomic-folder.ts';
import { belongsToAnother } from './folder-owner.ts';
import { markStart } from './start-marks.ts';
import { TFJS_BINDING_VARIABLE } from './worker-process.ts';

/** TensorFlow could not be unpacked; the message has the remedy. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
}

const BINDING = 'tfjs_binding.node';
const COMPRESSED = '.zst';

/**
 * Unpacks TensorFlow in a packaged function, before anything loads it, and sets the path of its binding for this process and its
 * children.
 *
 * @param packageFolder the folder of the unzipped package
 * @throws {UnpackError} when there is not enough space, or a file of the package is damaged
 */
export async function prepareTensorflow(packageFolder: string): Promise<void> {
  markStart('labelqueue:entered');
  process.env[TFJS_BINDING_VARIABLE] = await unpackTensorflow(join(packageFolder, 'tensorflow'), tmpdir());
  markStart('labelqueue:unpacked');
}

/**
 * Unpacks TensorFlow's libraries next to their binding, unless that was done before. The folder gets its name when it is complete,
 * so that a partial one is never loaded.
 *
 * @param packed the folder with `manifest.json`, the binding and the compressed libraries
 * @param temporary a folder with room for them
 * @returns the path of the binding
 * @throws {UnpackError} when there is not enough space, a file of the package is damaged, or the folder is another user's
 */
export async function unpackTensorflow(packed: string, temporary: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packed, 'manifest.json'), 'utf8')) as TensorflowManifest;
  const place = join(temporary, `labelqueue-tensorflow-${manifest.id}`);
  try {
    await createFolderAtomically(place, (folder) => unpackInto(folder, packed));
  } catch (error) {
    throw unpackFailure(error, temporary, manifest.bytes);
  }
  await assertOwn(place);
  return join(place, BINDING);
}

/** Outside Lambda, all users may write to the temporary folder, and the name is known: its programs would run as this user. */
async function assertOwn(place: string): Promise<void> {
  const there = await lstat(place);
  if (!belongsToAnother(there)) return;
  throw new UnpackError(
    `expected ${place} to belong to this user (id ${process.getuid?.()}), found the user id ${there.uid}: that user could change the programs in it; ` +
      'delete it, or set TMPDIR to a folder of your own',
  );
}

async function unpackInto(folder: string, packed: string): Promise<void> {
  const files = (await readdir(packed)).filter((name) => name === BINDING || name.endsWith(COMPRESSED));
  await Promise.all(files.map((name) => unpackFile(join(packed, name), join(folder, name))));
}

/** Chunks that fit into the cache of a core: larger ones take a third more time, smaller ones a tenth. */
const PIECE_BYTES = 256 * 1024;

async function unpackFile(from: string, to: string): Promise<void> {
  if (!from.endsWith(COMPRESSED)) return copyFile(from, to);
  await pipeline(
    createReadStream(from, { highWaterMark: 4 * PIECE_BYTES }),
    createZstdDecompress({ chunkSize: PIECE_BYTES }),
    createWriteStream(to.slice(0, -COMPRESSED.length), { highWaterMark: 4 * PIECE_BYTES }),
  );
}

function unpackFailure(error: unknown, temporary: string, bytes: number): UnpackError {
  const { code, message } = error as NodeJS.ErrnoException;
  const megabytes = Math.ceil(bytes / 1e6);
  const advice =
    code === 'ENOSPC'
      ? `there is not enough space: give the function more ephemeral storage; 1024 MB are enough`
      : `${message}; deploy the package again if this persists`;
  return new UnpackError(`TensorFlow (${megabytes} MB) could not be unpacked to ${temporary}: ${advice}`, {
    cause: error,
  });
}

/** `tensorflow/manifest.json` of a package: written by the packaging for the worker that unpacks it. */
export type TensorflowManifest = {
  /** A digest of all files, and the name of the unpacked folder. */
  id: string;
  /** Of all files, unpacked. */
  bytes: number;
};
