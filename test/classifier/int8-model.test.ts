import { expect, test } from '@jest/globals';
import { preferInt8 } from '../../shared/classifier/int8-model.ts';
import { readModelFolder } from '../../shared/classifier/model-folder.ts';
import { changedModel, DEFAULT_MODEL } from './model-folders.ts';
import { graphFolder } from './tfjs-folders.ts';

test('is taken where the processor has VNNI, and the version says so', async () => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  const taken = preferInt8(folder, 'auto', true);
  expect(taken.path).toBe(`${folder.path}/int8`);
  expect(taken).toEqual({ ...folder, path: taken.path, config: { ...folder.config, version: '1-int8' } });
});

test.each([
  ['the processor has no VNNI', 'auto', false],
  ['the setting asks for floats', 'float32', true],
] as const)('is not taken when %s', async (_case, precision, vnni) => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  expect(preferInt8(folder, precision, vnni)).toBe(folder);
});

test('is not taken when the folder has none', async () => {
  await using changed = await changedModel({});
  const folder = await readModelFolder(changed.path);
  expect(preferInt8(folder, 'auto', true)).toBe(folder);
});

test.each([
  ['a folder that is not there', 'elsewhere', /elsewhere.*ENOENT/s],
  ['a path that leaves the model folder', '../other', /int8/],
  ['a folder without a model', 'empty', /expected a model folder with saved_model\.pb/],
])('is refused on every processor: %s', async (_case, int8, message) => {
  await using changed = await changedModel({ config: { int8 }, files: { 'empty/nothing.txt': '' } });
  await expect(readModelFolder(changed.path)).rejects.toThrow(message);
});

test('is refused beside a model of TensorFlow.js', async () => {
  await using folder = await graphFolder({ int8: 'int8' });
  await expect(readModelFolder(folder.path)).rejects.toThrow(
    /int8: expected it beside a SavedModel, got a graph-model/,
  );
});
