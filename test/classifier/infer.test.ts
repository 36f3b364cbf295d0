import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { type Classifier, loadClassifier, tensorflowUse } from '../../shared/classifier/infer.ts';
import { ModelFolderError, readModelFolder } from '../../shared/classifier/model-folder.ts';
import { hasVnni } from '../../shared/classifier/vnni.ts';
import { DEFAULT_TOLERANCE, FLOAT32_TOLERANCE } from '../support/score-tolerance.ts';
import { type Change, changedModel, DEFAULT_MODEL } from './model-folders.ts';
import { decoded, readPhoto } from './pictures.ts';
import { channelMeans } from './tiny-model.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
type Answer = { classId: number; label: string; score: number };
const expected: Record<string, Answer> = JSON.parse(await readFile(join(SAMPLES, 'expected.json'), 'utf8'));

const vnni = await hasVnni();
let classifier: Classifier;
let inFloats: Classifier;
beforeAll(async () => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  classifier = await loadClassifier(folder);
  inFloats = await loadClassifier(folder, 'float32');
});
afterAll(() => {
  classifier.dispose();
  inFloats.dispose();
});

async function bestOf(bytes: Buffer, classifier: Classifier): Promise<Answer> {
  const { pixels } = await decoded(bytes, classifier.format);
  const [[best] = []] = classifier.infer([pixels], 1);
  if (best === undefined) throw new Error('expected a label');
  return best;
}

describe('the committed model still gives the recorded answer for', () => {
  test.each(Object.entries(expected))('%s', async (file, { classId, label, score }) => {
    const bytes = await readFile(join(SAMPLES, file));
    const exact = await bestOf(bytes, inFloats);
    expect(exact).toMatchObject({ classId, label });
    expect(Math.abs(exact.score - score)).toBeLessThanOrEqual(FLOAT32_TOLERANCE);
    // In eight-bit integers where the processor has what it takes.
    const best = await bestOf(bytes, classifier);
    expect(best).toMatchObject({ classId, label });
    expect(Math.abs(best.score - score)).toBeLessThanOrEqual(DEFAULT_TOLERANCE);
  });
});

test('all EXIF orientations of a photo give the same best label', async () => {
  const upright = await sharp(await readPhoto('coffee.jpg'))
    .png()
    .toBuffer();
  const turns: [number, (image: Sharp) => Sharp][] = [
    [2, (image) => image.flop()],
    [3, (image) => image.rotate(180)],
    [4, (image) => image.flip()],
    [6, (image) => image.rotate(270)],
    [8, (image) => image.rotate(90)],
  ];
  const { classId } = await bestOf(upright, classifier);
  for (const [orientation, turn] of turns) {
    const stored = await turn(sharp(upright)).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    expect(await bestOf(stored, classifier)).toMatchObject({ classId });
  }
});

describe('a batch', () => {
  test('gives each image the answer that it gets alone', async () => {
    const names = ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg', 'astronaut.jpg'];
    const images = await Promise.all(
      names.map(async (name) => (await decoded(await readPhoto(name), classifier.format)).pixels),
    );
    const together = classifier.infer(images, 5);
    const alone = images.map((image) => classifier.infer([image], 5)[0] ?? []);
    together.forEach((labels, row) => {
      expect(labels.map(({ classId }) => classId)).toEqual(alone[row]?.map(({ classId }) => classId));
      labels.forEach(({ score }, rank) => {
        expect(score).toBeCloseTo(alone[row]?.[rank]?.score ?? Number.NaN, 4);
      });
    });
  });

  test('gives probabilities that add up to 1', async () => {
    const { pixels } = await decoded(await readPhoto('coffee.jpg'), classifier.format);
    const [labels = []] = classifier.infer([pixels], 1_000);
    expect(labels).toHaveLength(1_000);
    expect(labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 3);
  });

  test('leaves no tensor behind, nor does one that TensorFlow refuses', async () => {
    const { pixels } = await decoded(await readPhoto('coffee.jpg'), classifier.format);
    classifier.infer([pixels], 5);
    const before = tensorflowUse();
    for (const size of [1, 3, 8, 8, 1]) classifier.infer(Array(size).fill(pixels), 5);
    expect(() => classifier.infer([], 5)).toThrow();
    expect(tensorflowUse()).toEqual(before);
  });
});

test('a loaded model knows its name and version, and says when it computes in eight-bit integers', () => {
  expect(classifier.id).toEqual({ name: 'efficientnet-lite0', version: vnni ? '1-int8' : '1' });
  expect(inFloats.id).toEqual({ name: 'efficientnet-lite0', version: '1' });
});

test('an image of noise gets nearly the same probabilities from both', async () => {
  const noise = randomBytes(224 * 224 * 3);
  const [exact = []] = inFloats.infer([noise], 1_000);
  const [labels = []] = classifier.infer([noise], 1_000);
  const scores = new Map(labels.map(({ classId, score }) => [classId, score]));
  for (const { classId, score } of exact) {
    expect(Math.abs((scores.get(classId) ?? Number.NaN) - score)).toBeLessThanOrEqual(0.1);
  }
});

test('a model is counted while it is loaded, and not once it is disposed of', async () => {
  await using folder = await changedModel({});
  const before = tensorflowUse();
  const second = await loadClassifier(await readModelFolder(folder.path));
  expect(tensorflowUse().modelsLoaded).toBe(before.modelsLoaded + 1);
  second.dispose();
  expect(tensorflowUse()).toEqual(before);
});

/** A folder with a model of 2 x 2 pixels that gives the mean of each channel. */
function tinyModel(type: 'float32' | 'int32', config: Change['config'] = {}) {
  return changedModel({
    config: { inputSize: 2, output: 'means', ...config },
    files: { 'saved_model.pb': channelMeans(2, type), 'labels.txt': 'red\ngreen\nblue\n' },
  });
}

describe('a model that takes float32', () => {
  const pixels = Uint8Array.of(10, 40, 70, 10, 40, 70, 20, 40, 80, 20, 40, 80);

  test.each([
    ['gets values from 0 to 255 when no mean and std are given', {}, [15, 40, 75]],
    ['gets (x - mean) / std a channel', { mean: [5, 0, 25], std: [2, 10, 0.5] }, [5, 4, 100]],
    ['gets x - mean when there is a mean alone', { mean: [5, 0, 25] }, [10, 40, 50]],
    ['gets x / std when there is a std alone', { std: [5, 1, 3] }, [3, 40, 25]],
  ])('%s', async (_case, config, [red, green, blue]) => {
    await using folder = await tinyModel('float32', config);
    const tiny = await loadClassifier(await readModelFolder(folder.path));
    const before = tensorflowUse().tensors;
    const rows = tiny.infer([pixels, new Uint8Array(12), pixels], 3);
    const scores = (row: number) => Object.fromEntries((rows[row] ?? []).map(({ label, score }) => [label, score]));
    expect(scores(0)).toEqual({ red, green, blue });
    expect(scores(2)).toEqual(scores(0));
    expect(tensorflowUse().tensors).toBe(before);
    tiny.dispose();
  });
});

test('a model that takes neither uint8 nor float32 is refused', async () => {
  await using folder = await tinyModel('int32');
  const loading = loadClassifier(await readModelFolder(folder.path));
  await expect(loading).rejects.toThrow(/expected an input of uint8 or float32, got DT_INT32/);
});

/** What the error must name. */
const WRONG: [what: string, change: Change, names: RegExp][] = [
  ['no saved_model.pb', { files: { 'saved_model.pb': null } }, /expected a SavedModel/],
  ['a saved_model.pb that is none', { files: { 'saved_model.pb': 'no model' } }, /expected a SavedModel/],
  ['a signature that it does not have', { config: { signature: 'classify' } }, /with the signature classify/],
  ['an output that it does not have', { config: { output: 'logits' } }, /output named logits, got probabilities/],
  ['a mean, though its model normalizes', { config: { mean: [127, 127, 127] } }, /no mean and std/],
  ['fewer labels than scores', { files: { 'labels.txt': 'cat\ndog\n' } }, /got 2 lines in labels.txt and 1000 scores/],
];

describe('refuses a folder with', () => {
  test.each(WRONG)('%s', async (_what, change, names) => {
    await using folder = await changedModel(change);
    const before = tensorflowUse();
    const error = await loadClassifier(await readModelFolder(folder.path)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelFolderError);
    expect((error as Error).message).toMatch(names);
    expect((error as Error).message).toContain(folder.path);
    expect(tensorflowUse().tensors).toBe(before.tensors);
  });
});
