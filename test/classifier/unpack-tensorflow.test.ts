import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { UnpackError, unpackTensorflow } from '../../shared/runtime/unpack-tensorflow.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

const LIBRARY = Buffer.from('a library, '.repeat(100_000));

let folder: TemporaryFolder;
let packed: string;
let temporary: string;

beforeEach(async () => {
  folder = await createTemporaryFolder();
  packed = join(folder.path, 'tensorflow');
  temporary = join(folder.path, 'tmp');
  await mkdir(packed);
  await mkdir(temporary);
  await writeFile(join(packed, 'manifest.json'), JSON.stringify({ id: 'abc', bytes: LIBRARY.length }));
  await writeFile(join(packed, 'tfjs_binding.node'), 'the binding');
  await writeFile(join(packed, 'library.so.2.zst'), zstdCompressSync(LIBRARY));
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

test('libraries are unpacked beside the binding', async () => {
  const binding = await unpackTensorflow(packed, temporary);
  expect(binding).toBe(join(temporary, 'labelqueue-tensorflow-abc/tfjs_binding.node'));
  expect(await readFile(binding, 'utf8')).toBe('the binding');
  expect((await readFile(join(binding, '../library.so.2'))).equals(LIBRARY)).toBe(true);
});

test('a truncated library is reported as such, and leaves nothing behind', async () => {
  const whole = zstdCompressSync(LIBRARY);
  await writeFile(join(packed, 'library.so.2.zst'), whole.subarray(0, whole.length / 2));
  const error = await unpackTensorflow(packed, temporary).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnpackError);
  expect((error as Error).message).toMatch(/TensorFlow \(2 MB\) could not be unpacked to .*; deploy the package again/);
  expect(await readdir(temporary)).toEqual([]);
});

// Only root can give a folder to another user.
const asRoot = process.getuid?.() === 0 ? test : test.skip;
const ANOTHER_USER = 65_534;

asRoot('a folder that another user has made first is refused: its programs would run', async () => {
  const place = join(temporary, 'labelqueue-tensorflow-abc');
  await mkdir(place);
  await chown(place, ANOTHER_USER, ANOTHER_USER);
  const error = await unpackTensorflow(packed, temporary).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnpackError);
  expect((error as Error).message).toMatch(/to belong to this user \(id 0\), found the user id 65534: .*set TMPDIR/);
});
