import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { openFeatureModel } from '../../shared/classifier/model/feature-model.ts';
import { configuredScores, lastLayerOf, readLastLayer } from '../../shared/classifier/model/last-layer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { openModel } from '../../shared/classifier/model/open-model.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { changedModel, DEFAULT_MODEL } from './model-folders.ts';
import { graphFolder } from './tfjs-folders.ts';
import { type Additions, attribute, channelMeans, type Field, node, shape } from './tiny-model.ts';

const PHOTOS = ['chelsea.jpg', 'chelsea.avif', 'coffee.jpg', 'rocket.jpg'];

async function pixelsOf(photo: string): Promise<Uint8Array> {
  const bytes = await readFile(join(import.meta.dirname, '../../samples/photos', photo));
  const { config } = await readModelFolder(DEFAULT_MODEL);
  const decoded = await decodeImage(bytes, config);
  if (decoded instanceof ImageFailure) throw decoded;
  return decoded.pixels;
}

function cosine(one: Float32Array, other: Float32Array): number {
  const dot = (left: Float32Array, right: Float32Array) =>
    left.reduce((sum, value, at) => sum + value * (right[at] as number), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

test.each([
  ['in floats', '', { features: 'Mean', kernel: 'Const_98', bias: 'Const_99' }],
  ['in integers', 'int8', { features: 'mul', kernel: 'Const_145', bias: 'Const_146' }],
])('the last layer of the default model %s takes 1,280 numbers', async (_case, inner, nodes) => {
  expect(await readLastLayer(join(DEFAULT_MODEL, inner), 'probabilities:0')).toEqual({
    ...nodes,
    length: 1_280,
    classes: 1_000,
    after: ['Softmax', 'Identity'],
  });
});

test('features come with the scores or alone, and are the same for an image alone and in a batch', async () => {
  const before = tensorflowUse();
  const folder = await readModelFolder(DEFAULT_MODEL);
  const model = await openFeatureModel(folder);
  const plain = await openModel(folder);
  const pixels = await Promise.all(PHOTOS.map(pixelsOf));
  const { features, scores } = model.featuresAndScores(pixels);
  expect(model.featureLength).toBe(1_280);
  expect(features).toHaveLength(pixels.length * 1_280);
  expect(scores).toEqual(plain.scores(pixels));
  const alone = model.features(pixels.slice(2, 3));
  expect(cosine(alone, features.subarray(2 * 1_280, 3 * 1_280))).toBeGreaterThan(0.99999);
  plain.dispose();
  model.dispose();
  expect(tensorflowUse()).toEqual(before);
});

test('two files of one photo have features of nearly the same direction; other photos do not', async () => {
  const model = await openFeatureModel(await readModelFolder(DEFAULT_MODEL));
  const all = model.features(await Promise.all(PHOTOS.map(pixelsOf)));
  model.dispose();
  const [jpeg, avif, coffee, rocket] = PHOTOS.map((_, row) => all.subarray(row * 1_280, (row + 1) * 1_280)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  expect(cosine(jpeg, avif)).toBeGreaterThan(0.9);
  for (const other of [coffee, rocket]) expect(cosine(jpeg, other)).toBeLessThan(0.6);
});

test('a model that is not a SavedModel has no features, and is disposed of', async () => {
  await using folder = await graphFolder({ output: 'means' });
  const before = tensorflowUse();
  await expect(openFeatureModel(await readModelFolder(folder.path))).rejects.toThrow(
    /expected a SavedModel to take features from, got a graph-model/,
  );
  expect(tensorflowUse()).toEqual(before);
});

test('a SavedModel that ends in something else has none', async () => {
  await using changed = await changedModel({
    config: { inputSize: 4, output: undefined, labels: ['red', 'green', 'blue'] },
    files: { 'saved_model.pb': channelMeans(4, 'float32'), 'labels.txt': null },
  });
  await expect(openFeatureModel(await readModelFolder(changed.path))).rejects.toThrow(
    /saved_model\.pb: expected a frozen graph that ends in one dense layer .*, got Mean before the scores/,
  );
});

const T: Field = attribute('T', [6, 1]);
const weights = (name: string, ...sizes: number[]): Field => {
  const tensor: Field[] = [
    [1, 1],
    [2, shape(...sizes)],
  ];
  return node(name, 'Const', [], [attribute('dtype', [6, 1]), attribute('value', [8, tensor])]);
};
const ones = (name: string, ...sizes: number[]): Field => {
  const tensor: Field[] = [
    [1, 1],
    [2, shape(...sizes)],
    [5, Buffer.from(Float32Array.of(1).buffer)],
  ];
  return node(name, 'Const', [], [attribute('dtype', [6, 1]), attribute('value', [8, tensor])]);
};
const sum = node('sum', 'BiasAdd', ['product', 'bias'], [T]);
const product = node('product', 'MatMul', ['mean', 'kernel'], [T]);

test.each<[string, Additions, RegExp]>([
  ['nothing before the bias', { graph: [sum, weights('bias', 5)], answer: 'sum:0' }, /got nothing before the bias/],
  [
    'weights that are computed',
    { graph: [sum, product, node('kernel', 'Identity', ['mean'], [T]), weights('bias', 5)], answer: 'sum:0' },
    /its weights are not constants/,
  ],
  [
    'weights of another type',
    { graph: [sum, product, weights('kernel', 2, 3), weights('bias', 5)], answer: 'sum:0' },
    /its weights are not float32/,
  ],
  [
    'more features than an embedding may have',
    { graph: [sum, product, weights('kernel', 4_097, 5), weights('bias', 5)], answer: 'sum:0' },
    /with at most 4096 numbers per image before it, got 4097/,
  ],
  ...['transpose_a', 'transpose_b'].map((flag): [string, Additions, RegExp] => [
    `a product with ${flag}`,
    {
      graph: [
        sum,
        node('product', 'MatMul', ['mean', 'kernel'], [T, attribute(flag, [5, 1])]),
        weights('kernel', 5, 3),
        weights('bias', 5),
      ],
      answer: 'sum:0',
    },
    new RegExp(`got a MatMul with ${flag}`),
  ]),
  [
    'variables before the layer, of which the graph does not hold the values',
    {
      graph: [
        sum,
        node('product', 'MatMul', ['scaled', 'kernel'], [T]),
        node('scaled', 'Mul', ['mean', 'read:0'], [T]),
        node('read', 'ReadVariableOp', ['variable'], []),
        node('variable', 'VarHandleOp', [], []),
        weights('kernel', 3, 5),
        weights('bias', 5),
      ],
      answer: 'sum:0',
    },
    /got the operation ReadVariableOp before that layer|got the operation VarHandleOp before that layer/,
  ],
  [
    'a function before the layer, of which the nodes do not hold the body',
    {
      graph: [
        sum,
        node('product', 'MatMul', ['call:1', 'kernel'], [T]),
        node('call', 'PartitionedCall', ['mean'], [attribute('f', [10, [[1, 'twice']]])]),
        weights('kernel', 3, 5),
        weights('bias', 5),
      ],
      answer: 'sum:0',
    },
    /got the operation PartitionedCall before that layer/,
  ],
  [
    'a circle',
    { graph: [node('one', 'Identity', ['two'], [T]), node('two', 'Identity', ['one'], [T])], answer: 'one:0' },
    /got Identity before the scores/,
  ],
])('is refused: %s', (_case, additions, message) => {
  const bytes = channelMeans(4, 'float32', undefined, additions);
  expect(() => lastLayerOf(bytes, additions.answer ?? '', 'folder')).toThrow(message);
});

test('a flag that is false changes nothing', () => {
  const plain = node('product', 'MatMul', ['mean', 'kernel'], [T, attribute('transpose_b', [5, 0])]);
  const graph = [sum, plain, weights('kernel', 4_096, 5), weights('bias', 5)];
  const bytes = channelMeans(4, 'float32', undefined, { graph, answer: 'sum:0' });
  expect(lastLayerOf(bytes, 'sum:0', 'folder')).toMatchObject({ features: 'mean', length: 4_096, classes: 5 });
});

test('infinite features behind finite scores are detected at the start', async () => {
  const before = tensorflowUse();
  const graph = [
    node('inverse', 'Reciprocal', ['mean'], [T]),
    node('product', 'MatMul', ['inverse', 'kernel'], [T]),
    sum,
    node('scores', 'Sigmoid', ['sum'], [T]),
    ones('kernel', 3, 3),
    ones('bias', 3),
  ];
  await using changed = await changedModel({
    config: {
      inputSize: 4,
      output: undefined,
      activation: 'none',
      labels: ['red', 'green', 'blue'],
      mean: undefined,
      std: undefined,
      range: [0, 1],
    },
    files: {
      'saved_model.pb': channelMeans(4, 'float32', undefined, { graph, answer: 'scores:0' }),
      'labels.txt': null,
    },
  });
  await expect(openFeatureModel(await readModelFolder(changed.path))).rejects.toThrow(
    /expected the model to return 3 features for a black image, it did not: /,
  );
  expect(tensorflowUse()).toEqual(before);
});

test('the scores are found by the name of the output, with or without its port', async () => {
  const bytes = await readFile(join(DEFAULT_MODEL, 'saved_model.pb'));
  for (const output of ['probabilities', 'probabilities:0']) {
    expect(configuredScores(bytes, { output }, 'folder')).toBe('probabilities:0');
  }
});
