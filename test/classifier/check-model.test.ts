import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { type CheckedPhoto, checkModel, type ModelReport } from '../../cli/model/check/check-model.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { DEFAULT_MODEL } from './model-folders.ts';
import { nsfwjsFolder } from './nsfwjs-folders.ts';
import { brightChannelFolder, graphFolder } from './tfjs-folders.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
const NAMES = ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg', 'astronaut.jpg'];
const PHOTOS: CheckedPhoto[] = await Promise.all(
  NAMES.map(async (name) => ({ name, bytes: await readFile(join(SAMPLES, 'photos', name)) })),
);
const COLOURS: CheckedPhoto[] = await Promise.all(
  ['red', 'lime', 'blue', 'red'].map(async (background) => ({
    name: background,
    bytes: await sharp({ create: { width: 4, height: 4, channels: 3, background } })
      .png()
      .toBuffer(),
  })),
);

async function check(folder: { path: string }, photos = PHOTOS): Promise<ModelReport> {
  return checkModel(await readModelFolder(folder.path), 'float32', photos, 2);
}

const codes = ({ warnings }: ModelReport) => warnings.map(({ code }) => code);

test('describes the default model, without a warning', async () => {
  const report = await check({ path: DEFAULT_MODEL });
  expect(report).toMatchObject({
    format: 'saved-model',
    model: { name: 'efficientnet-lite0', version: '1' },
    licence: 'Apache-2.0',
    input: { name: 'images', dtype: 'uint8', shape: [undefined, 224, 224, 3] },
    outputs: [{ name: 'probabilities', dtype: 'float32', shape: [undefined, 1_000] }],
    output: 'probabilities',
    labels: { count: 1_000, from: 'labels.txt' },
    warnings: [],
  });
  expect(report.labels.first[0]).toMatch(/^tench/);
  expect(report.predictions).toEqual(NAMES.map((photo) => ({ photo, labels: [expect.anything(), expect.anything()] })));
  expect(report.predictions[0]).toMatchObject({ labels: [{ label: 'espresso' }, { label: 'cup' }] });
  expect(report.timings.map(({ images }) => images)).toEqual([1, 8, 32]);
  for (const { millisecondsPerImage, imagesPerSecond } of report.timings) {
    expect(millisecondsPerImage * imagesPerSecond).toBeCloseTo(1_000, 3);
  }
  const { beforeBytes, peakBytes } = report.memory;
  expect(beforeBytes).toBeGreaterThan(10e6);
  expect(peakBytes).toBeGreaterThanOrEqual(beforeBytes);
});

test('an image that cannot be decoded has its error in its prediction', async () => {
  const missing = { name: 'missing.jpg', bytes: new ImageFailure('not_found', 'no such file') };
  const text = { name: 'text.jpg', bytes: Buffer.from('text') };
  await using folder = await graphFolder({ output: 'means' });
  const { predictions } = await check(folder, [missing, text]);
  expect(predictions).toEqual([
    { photo: 'missing.jpg', error: expect.objectContaining({ code: 'not_found' }) },
    { photo: 'text.jpg', error: expect.objectContaining({ code: 'not_an_image' }) },
  ]);
});

test('leaves no tensor behind', async () => {
  await using folder = await graphFolder({ output: 'means' });
  const before = tensorflowUse();
  await check(folder);
  expect(tensorflowUse()).toEqual(before);
});

test('warns about a real layers model only because of its format', async () => {
  await using folder = await nsfwjsFolder('MobileNetV2');
  expect(codes(await check(folder))).toEqual(['slow_format']);
});

test('warns when softmax is applied twice', async () => {
  await using folder = await brightChannelFolder({ activation: 'softmax' }, true);
  expect(codes(await check(folder, COLOURS))).toEqual(['slow_format', 'activation_twice']);
});

test.each([
  [
    'by its own layer',
    { range: [0, 1] },
    true,
    ['slow_format', 'flat_scores', 'normalized_twice', 'wrong_normalization'],
  ],
  ['by its own layer alone', {}, true, ['slow_format']],
  ['nowhere', {}, false, ['slow_format', 'not_normalized']],
  ['wrongly', { range: [0, 1] }, false, ['slow_format', 'flat_scores', 'wrong_normalization']],
])('warns about pixels that are normalized %s, configured %j', async (_how, config, ownRescaling, expected) => {
  await using folder = await brightChannelFolder(config, ownRescaling);
  const report = await check(folder, COLOURS);
  expect(codes(report)).toEqual(expected);
  const wrong = report.warnings.find(({ code }) => code === 'wrong_normalization');
  if (wrong !== undefined) expect(wrong.message).toMatch(/with pixels from 0 to 255 .* they do not/);
});
