import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createFolderAtomically, replaceFolderAtomically } from '../../shared/runtime/atomic-folder.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

let around: TemporaryFolder;
let place: string;
beforeEach(async () => {
  around = await createTemporaryFolder();
  place = join(around.path, 'model');
});
afterEach(async () => {
  await around[Symbol.asyncDispose]();
});

function filled(content: string) {
  return (folder: string) => writeFile(join(folder, 'file'), content);
}

const never = async () => {
  throw new Error('failed');
};
const content = () => readFile(join(place, 'file'), 'utf8');

test('an existing folder is left as it is, even one that appears during the work', async () => {
  expect(await createFolderAtomically(place, filled('first'))).toBe(true);
  expect(await createFolderAtomically(place, filled('second'))).toBe(false);
  expect(await content()).toBe('first');
  const other = join(around.path, 'other');
  const faster = async (folder: string) => {
    await filled('slower')(folder);
    await mkdir(other);
    await filled('faster')(other);
  };
  expect(await createFolderAtomically(other, faster)).toBe(false);
  expect(await readFile(join(other, 'file'), 'utf8')).toBe('faster');
  expect((await readdir(around.path)).sort()).toEqual(['model', 'other']);
});

test("what killed processes have left is removed, and users' folders with similar names are not", async () => {
  const names = ['model.unfinished-backup', 'model.unfinished-', 'model.unfinished-1e3', 'model.unfinished-4194305'];
  for (const name of names) await mkdir(join(around.path, name));
  await createFolderAtomically(place, filled(''));
  expect((await readdir(around.path)).sort()).toEqual(['model', ...names.slice(0, 3)].sort());
});

test('a replaced folder is the old one until the new one is complete', async () => {
  await createFolderAtomically(place, filled('old'));
  const replacing = async (folder: string) => {
    await filled('new')(folder);
    expect(await content()).toBe('old');
  };
  await replaceFolderAtomically(place, replacing, async () => {});
  expect(await content()).toBe('new');
  expect(await readdir(around.path)).toEqual(['model']);
});

test.each([
  ['the new one cannot be written', never, async () => {}],
  ['the last check fails', filled('new'), never],
])('the old folder stays when %s', async (_case, fill, check) => {
  await createFolderAtomically(place, filled('old'));
  await expect(replaceFolderAtomically(place, fill, check)).rejects.toThrow('failed');
  expect(await content()).toBe('old');
  expect(await readdir(around.path)).toEqual(['model']);
});
