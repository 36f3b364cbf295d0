import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { compareScores } from '../../cli/model/convert/compare-models.ts';
import { convertModel } from '../../cli/model/convert/convert-model.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { openModel } from '../../shared/classifier/model/open-model.ts';
import { savedModelGraphs } from '../../shared/classifier/model/saved-model-graph.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { normalizedByLayer, STACKS, stackFolder, transposed } from './layer-stacks.ts';
import { CONFIG, graphFolder, layersFolder, teachableMachineFolder } from './tfjs-folders.ts';

/** Pixels that differ from each other, the same each time. */
function pictures(side: number): Uint8Array[] {
  const pixels = side ** 2 * 3;
  return [1, 5, 11].map((seed) => Uint8Array.from({ length: pixels }, (_, index) => (index * index * seed) % 251));
}

type Converted = { difference: number; together: number; into: TemporaryFolder };

/** Converts a folder, and compares what both make of the same pixels: one by one, and three at once. */
async function convert(folder: TemporaryFolder): Promise<Converted> {
  const into = await createTemporaryFolder();
  const before = await openModel(await readModelFolder(folder.path));
  try {
    await convertModel(before, into.path);
    const after = await openModel(await readModelFolder(into.path));
    try {
      const images = pictures(before.folder.config.inputSize);
      const together = before
        .scores(images)
        .map((score, index) => Math.abs(score - (after.scores(images)[index] ?? 9)));
      const { largestDifference } = compareScores(before, after, images);
      return { difference: largestDifference, together: Math.max(...together), into };
    } finally {
      after.dispose();
    }
  } finally {
    before.dispose();
  }
}

describe('a SavedModel gives the scores of a layers model', () => {
  test.each(Object.keys(STACKS))('with %s', async (name) => {
    await using folder = await stackFolder(STACKS[name] as (typeof STACKS)[string]);
    const { difference, together, into } = await convert(folder);
    await using _ = into;
    expect(difference).toBeLessThan(1e-5);
    expect(together).toBeLessThan(1e-5);
    expect((await readdir(into.path)).sort()).toEqual(['classifier.json', 'saved_model.pb']);
  });
});

test('batch norms are folded into the convolutions before them', async () => {
  await using folder = await stackFolder(STACKS['convolution, batch norm and ReLU6'] as (typeof STACKS)[string]);
  const { into } = await convert(folder);
  await using _ = into;
  const [graph] = savedModelGraphs(await readFile(join(into.path, 'saved_model.pb')));
  const operations = graph?.nodes.map(({ operation }) => operation).filter((one) => one !== 'Const');
  const convolution = ['Conv2D', 'BiasAdd', 'Relu', 'ClipByValue'];
  const scores = ['Reshape', 'MatMul', 'BiasAdd', 'Softmax'];
  expect(operations).toEqual(['Placeholder', ...convolution, ...scores, 'Identity']);
});

test('a graph model keeps the output that its folder names', async () => {
  await using folder = await graphFolder({ output: 'means:0', threshold: 0.5, activation: 'sigmoid' });
  const { difference, into } = await convert(folder);
  await using _ = into;
  expect(difference).toBeLessThan(1e-6);
  const converted = await readModelFolder(into.path);
  expect(converted).toMatchObject({ format: 'saved-model', config: { threshold: 0.5, activation: 'sigmoid' } });
});

test('a graph model of whole numbers stays one', async () => {
  await using folder = await graphFolder({ output: 'doubled' }, { dtype: 'DT_INT32' });
  const { difference, into } = await convert(folder);
  await using _ = into;
  expect(difference).toBe(0);
  const model = await openModel(await readModelFolder(into.path));
  expect(model.input).toMatchObject({ dtype: 'int32', shape: [undefined, 2, 2, 3] });
  model.dispose();
});

test('a model of one image at once stays one', async () => {
  await using folder = await graphFolder({ output: 'means' }, { shape: [1, 2, 2, 3] });
  const { difference, into } = await convert(folder);
  await using _ = into;
  expect(difference).toBe(0);
  const model = await openModel(await readModelFolder(into.path));
  expect(model.input).toMatchObject({ fixedBatch: 1 });
  model.dispose();
});

test('the metadata of Teachable Machine becomes an equivalent classifier.json', async () => {
  await using folder = await teachableMachineFolder();
  const { difference, into } = await convert(folder);
  await using _ = into;
  expect(difference).toBeLessThan(1e-5);
  const [before, after] = await Promise.all([folder, into].map(({ path }) => readModelFolder(path)));
  expect(after?.labels).toEqual(before?.labels);
  expect(after?.config).toEqual({ ...before?.config, licence: 'not stated' });
});

test('labels stay in the file that they are in', async () => {
  await using folder = await layersFolder({ labels: undefined });
  await folder.write('labels.txt', `${CONFIG.labels.join('\r\n')}\r\n`);
  const { into } = await convert(folder);
  await using _ = into;
  expect(await readFile(join(into.path, 'labels.txt'))).toEqual(await readFile(join(folder.path, 'labels.txt')));
  expect(await readModelFolder(into.path)).toMatchObject({ labels: CONFIG.labels, labelsFrom: 'labels.txt' });
});

test('names the operations that cannot be converted', async () => {
  await using folder = await stackFolder(transposed);
  await expect(convert(folder)).rejects.toThrow(
    `${folder.path}: this model cannot be converted: it computes Conv2DBackpropInput, which this program cannot write`,
  );
});

test('reports a model that treats the images of a batch differently', async () => {
  await using folder = await stackFolder(normalizedByLayer);
  await expect(convert(folder)).rejects.toThrow(/cannot be converted: the model has other constants .* more images/);
});

test('leaves neither tensors nor models in memory, and TensorFlow.js as it was', async () => {
  await using folder = await layersFolder();
  (await convert(folder)).into[Symbol.asyncDispose]();
  const before = tensorflowUse();
  (await convert(folder)).into[Symbol.asyncDispose]();
  expect(tensorflowUse()).toEqual(before);
});
