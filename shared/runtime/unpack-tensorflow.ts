import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { createFolderAtomically } from './atomic-folder.ts';
import { markStart } from './start-marks.ts';
import type { TensorflowManifest } from './tensorflow-manifest.ts';
import { TFJS_BINDING_VARIABLE } from './worker-process.ts';

/** TensorFlow could not be unpacked; the message says what to do. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
}

const BINDING = 'tfjs_binding.node';
const COMPRESSED = '.zst';

/**
 * What a packaged function does before anything asks for TensorFlow: unpacks it, and tells this process
 * and those that it starts where the binding is.
 *
 * @param packageFolder where Lambda has unzipped the package
 * @throws {UnpackError} when there is no room, or a file of the package is damaged
 */
export async function prepareTensorflow(packageFolder: string): Promise<void> {
  markStart('labelqueue:entered');
  process.env[TFJS_BINDING_VARIABLE] = await unpackTensorflow(join(packageFolder, 'tensorflow'), tmpdir());
  markStart('labelqueue:unpacked');
}

/**
 * Unpacks TensorFlow's libraries beside their binding, unless that was done before. The folder gets
 * its name when it is whole, so that nothing half-written is ever loaded.
 *
 * @param packed the folder with `manifest.json`, the binding and the compressed libraries
 * @param temporary where there is room for them
 * @returns the path of the binding
 * @throws {UnpackError} when there is no room, or a file of the package is damaged
 */
export async function unpackTensorflow(packed: string, temporary: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packed, 'manifest.json'), 'utf8')) as TensorflowManifest;
  const place = join(temporary, `labelqueue-tensorflow-${manifest.id}`);
  try {
    await createFolderAtomically(place, (folder) => unpackInto(folder, packed));
  } catch (error) {
    throw unpackFailure(error, temporary, manifest.bytes);
  }
  return join(place, BINDING);
}

async function unpackInto(folder: string, packed: string): Promise<void> {
  const files = (await readdir(packed)).filter((name) => name === BINDING || name.endsWith(COMPRESSED));
  await Promise.all(files.map((name) => unpackFile(join(packed, name), join(folder, name))));
}

/** Pieces that fit a core's cache: larger ones cost a third more time, smaller ones a tenth. */
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
      ? `there is no room: give the function more ephemeral storage, 1024 MB are enough`
      : `${message}; deploy the package again if this goes on`;
  return new UnpackError(`TensorFlow (${megabytes} MB) could not be unpacked to ${temporary}: ${advice}`, {
    cause: error,
  });
}
