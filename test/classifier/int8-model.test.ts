import { expect, test } from '@jest/globals';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { openBestModel } from '../../shared/classifier/model/best-model.ts';
import { chooseModel } from '../../shared/classifier/model/int8-model.ts';
import type { IntegerSums } from '../../shared/classifier/model/integer-sums.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import type { ModelPrecision } from '../../shared/settings.ts';
import { changedModel, DEFAULT_MODEL } from './model-folders.ts';
import { graphFolder } from './tfjs-folders.ts';

test.each([
  ['exact', 'int8-vnni'],
  ['in pairs', 'int8-avx2'],
] as const)(
  'the integer model is used where products are added %s, and the version says so',
  async (sums, arithmetic) => {
    const folder = await readModelFolder(DEFAULT_MODEL);
    expect(chooseModel(folder, 'auto', sums)).toEqual({
      arithmetic,
      folder: { ...folder, path: `${folder.path}/int8`, config: { ...folder.config, version: '1-int8' } },
    });
  },
);

const IN_FLOATS: [string, ModelPrecision, IntegerSums][] = [
  ['the processor does not compute integers', 'auto', 'none'],
  ['the setting asks for floats', 'float32', 'exact'],
];

test.each(IN_FLOATS)('is not used when %s', async (_case, wanted, sums) => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  expect(chooseModel(folder, wanted, sums)).toEqual({ folder, arithmetic: 'float32' });
});

test.each([
  ['nothing is taken of a folder that has none', {}, 'exact', 'float32'],
  ['a model that says no more is taken where sums are exact', { int8: 'inner' }, 'exact', 'int8-vnni'],
  ['and not where they may overflow', { int8: 'inner' }, 'in pairs', 'float32'],
] as const)('%s', async (_case, config, sums, arithmetic) => {
  await using changed = await changedModel({
    config: { int8For: undefined, ...config },
    files: { 'inner/saved_model.pb': 'not read here' },
  });
  expect(chooseModel(await readModelFolder(changed.path), 'auto', sums).arithmetic).toBe(arithmetic);
});

test("when the processor's arithmetic cannot be determined, floats are used, with a warning", async () => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  const opened = await openBestModel(
    folder,
    'auto',
    async ({ path }) => path,
    async () => ({ sums: 'none', reason: 'no operation' }),
  );
  expect(opened).toEqual({
    folder,
    arithmetic: 'float32',
    model: folder.path,
    warnings: [expect.stringMatching(/^it computes in 32-bit floats, .*: no operation$/)],
  });
});

test('when the integer model cannot be used, the float model is, with a warning', async () => {
  await using changed = await changedModel({
    config: { int8: 'damaged', int8For: 'avx2' },
    files: { 'damaged/saved_model.pb': 'no model' },
  });
  const before = tensorflowUse();
  const classifier = await loadClassifier(await readModelFolder(changed.path), 'auto');
  expect(classifier.id.version).toBe('1');
  expect(classifier.arithmetic).toBe('float32');
  expect(classifier.notes).toEqual(
    process.arch === 'x64' ? [expect.stringMatching(/^it computes in 32-bit floats, .*damaged/)] : [],
  );
  classifier.dispose();
  expect(tensorflowUse()).toEqual(before);
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
