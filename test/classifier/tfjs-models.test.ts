import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Classifier, loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import type { TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { graphFolder, layersFolder } from './tfjs-folders.ts';

const PIXELS = Uint8Array.of(10, 40, 70, 10, 40, 70, 20, 40, 80, 20, 40, 80);

async function load(folder: TemporaryFolder): Promise<Classifier> {
  return loadClassifier(await readModelFolder(folder.path));
}

function scores(classifier: Classifier, images: Uint8Array[]): Record<string, number>[] {
  return classifier
    .infer(images, 3)
    .map((labels) => Object.fromEntries(labels.map(({ label, score }) => [label, score])));
}

const FORMATS: [format: string, make: (config?: Record<string, unknown>) => Promise<TemporaryFolder>][] = [
  ['layers model', layersFolder],
  ['graph model', (config) => graphFolder({ output: 'means', ...config })],
];

describe.each(FORMATS)('a %s', (_format, make) => {
  test('gives each image of a batch its scores', async () => {
    await using folder = await make();
    const classifier = await load(folder);
    expect(scores(classifier, [PIXELS, new Uint8Array(12), PIXELS])).toEqual([
      { red: 15, green: 40, blue: 75 },
      { red: 0, green: 0, blue: 0 },
      { red: 15, green: 40, blue: 75 },
    ]);
    expect(classifier.id).toEqual({ name: 'tiny', version: '3' });
    classifier.dispose();
  });

  test('gets pixels in its range, and its scores get their activation', async () => {
    await using folder = await make({ range: [-1, 0], activation: 'sigmoid' });
    const classifier = await load(folder);
    const sigmoid = (pixel: number) => expect.closeTo(1 / (1 + Math.exp(1 - pixel / 255)), 5);
    expect(scores(classifier, [PIXELS])).toEqual([{ red: sigmoid(15), green: sigmoid(40), blue: sigmoid(75) }]);
    classifier.dispose();
  });

  test('leaves no tensor behind when it runs, when it is disposed of and when it is refused', async () => {
    await using folder = await make();
    await using wrong = await make({ labels: ['red'] });
    const before = tensorflowUse();
    const classifier = await load(folder);
    const loaded = tensorflowUse();
    for (const size of [1, 3, 8, 40]) classifier.infer(Array(size).fill(PIXELS), 3);
    expect(tensorflowUse()).toEqual(loaded);
    classifier.dispose();
    expect(tensorflowUse()).toEqual(before);
    await expect(load(wrong)).rejects.toThrow(/got 1 labels in classifier\.json and 3 scores/);
    expect(tensorflowUse()).toEqual(before);
  });

  test.each([
    ['an inputSize that is not its own', { inputSize: 3 }, /inputSize of classifier\.json, 3, got \[\?, 2, 2, 3\]/],
    ['an output that it does not have', { output: 'logits' }, /expected an output named logits, got .*means/],
  ])('is refused with %s', async (_what, config, message) => {
    await using folder = await make(config);
    await expect(load(folder)).rejects.toThrow(message);
  });
});

test('a graph model with several outputs needs the name of one, with or without its port', async () => {
  await using unnamed = await graphFolder();
  await expect(load(unnamed)).rejects.toThrow(
    /expected the field output in classifier\.json to name one of means, doubled/,
  );
  for (const output of ['doubled', 'doubled:0']) {
    await using folder = await graphFolder({ output });
    const classifier = await load(folder);
    expect(scores(classifier, [PIXELS])).toEqual([{ red: 30, green: 80, blue: 150 }]);
    classifier.dispose();
  }
});

test('a graph model that takes whole numbers gets the pixels as they are', async () => {
  await using folder = await graphFolder({ output: 'means' }, { dtype: 'DT_INT32' });
  const classifier = await load(folder);
  expect(scores(classifier, [PIXELS])).toEqual([{ red: 15, green: 40, blue: 75 }]);
  classifier.dispose();

  await using normalized = await graphFolder({ output: 'means', range: [0, 1] }, { dtype: 'DT_INT32' });
  await expect(load(normalized)).rejects.toThrow(/no range, mean or std .* takes int32/);
});

test('a model that mixes up the images of a batch is refused', async () => {
  const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
  await using folder = await graphFolder({ output: 'means', labels }, { axes: [0, 1] });
  await expect(load(folder)).rejects.toThrow(/expected 6 scores for each of 8 images at once, got 6 in all/);
});

test('a graph model for one image at once gets the images of a batch one by one', async () => {
  await using folder = await graphFolder({ output: 'means' }, { shape: [1, 2, 2, 3] });
  const classifier = await load(folder);
  expect(scores(classifier, [PIXELS, new Uint8Array(12).fill(9)])).toEqual([
    { red: 15, green: 40, blue: 75 },
    { red: 9, green: 9, blue: 9 },
  ]);
  classifier.dispose();
});

test.each([
  [
    'graph',
    () => graphFolder({ output: 'means' }),
    'group1-shard1of1.bin',
    /group1-shard1of1\.bin: expected a file that can be read/,
  ],
  [
    'layers',
    async () => {
      const folder = await layersFolder();
      await folder.write('model.json', '{"format":"layers-model","modelTopology":{"class_name":"Unheard"}}');
      return folder;
    },
    'weights.bin',
    /: expected a layers model that TensorFlow\.js can load: .*Unheard/,
  ],
] as const)('an incomplete %s model is refused with the reason', async (_kind, make, file, reason) => {
  await using folder = await make();
  await rm(join(folder.path, file));
  const error = await load(folder).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ModelFolderError);
  expect((error as Error).message).toMatch(reason);
  expect((error as Error).message).toContain(folder.path);
});

test('a layers model without classifier.json and metadata.json is refused', async () => {
  await using folder = await layersFolder(null);
  await expect(load(folder)).rejects.toThrow(/classifier\.json: expected a file .* only exports of Teachable Machine/);
});
