import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { type Classifier, loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import type { Label } from '../../shared/contract/result-line.ts';
import { DEFAULT_TOLERANCE, FLOAT32_TOLERANCE } from '../support/score-tolerance.ts';
import { type Change, changedModel, DEFAULT_MODEL } from './model-folders.ts';
import { decoded, readPhoto } from './pictures.ts';
import { channelMeans } from './tiny-model.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
type Answer = { classId: number; label: string; score: number };
const expected: Record<string, Answer> = JSON.parse(await readFile(join(SAMPLES, 'expected.json'), 'utf8'));

let classifier: Classifier;
let inFloats: Classifier;
beforeAll(async () => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  classifier = await loadClassifier(folder, 'auto');
  inFloats = await loadClassifier(folder);
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
    // In eight-bit integers on x86.
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

  test("leaves next to nothing outside V8's heap for the garbage collector", async () => {
    const { pixels } = await decoded(await readPhoto('coffee.jpg'), classifier.format);
    const batch = Array<Uint8Array>(8).fill(pixels);
    classifier.infer(batch, 5);
    const before = process.memoryUsage().arrayBuffers;
    for (let times = 0; times < 4; times++) classifier.infer(batch, 5);
    const perBatch = (process.memoryUsage().arrayBuffers - before) / 4;
    expect(perBatch).toBeLessThan(pixels.length);
  });

  test('leaves no tensor behind, even when TensorFlow refuses it', async () => {
    const { pixels } = await decoded(await readPhoto('coffee.jpg'), classifier.format);
    classifier.infer([pixels], 5);
    const before = tensorflowUse();
    for (const size of [1, 3, 8, 8, 1]) classifier.infer(Array(size).fill(pixels), 5);
    expect(() => classifier.infer([], 5)).toThrow();
    expect(tensorflowUse()).toEqual(before);
  });
});

test('a loaded model has its name and version, and reports eight-bit integers', () => {
  const version = process.arch === 'x64' ? '1-int8' : '1';
  expect(classifier.id).toEqual({ name: 'efficientnet-lite0', version });
  expect(inFloats.id).toEqual({ name: 'efficientnet-lite0', version: '1' });
});

test('an image of noise gets nearly the same probabilities in integers and in floats', async () => {
  const noise = randomBytes(224 * 224 * 3);
  const [exact = []] = inFloats.infer([noise], 1_000);
  const [labels = []] = classifier.infer([noise], 1_000);
  const scores = new Map(labels.map(({ classId, score }) => [classId, score]));
  for (const { classId, score } of exact) {
    expect(Math.abs((scores.get(classId) ?? Number.NaN) - score)).toBeLessThanOrEqual(0.1);
  }
});

test('a model counts while it is loaded, and no longer when it is disposed of', async () => {
  await using folder = await changedModel({});
  const before = tensorflowUse();
  const second = await loadClassifier(await readModelFolder(folder.path));
  expect(tensorflowUse().modelsLoaded).toBe(before.modelsLoaded + 1);
  second.dispose();
  expect(tensorflowUse()).toEqual(before);
});

/** A folder with a model of 2 x 2 pixels that gives the mean of each channel. */
function tinyModel(model: Buffer, config: Change['config'] = {}) {
  return changedModel({
    config: { inputSize: 2, output: 'means', ...config },
    files: { 'saved_model.pb': model, 'labels.txt': 'red\ngreen\nblue\n' },
  });
}

/** Two pixels of one colour, two of another. */
const PIXELS = Uint8Array.of(10, 40, 70, 10, 40, 70, 20, 40, 80, 20, 40, 80);

function scoresOf(labels: Label[] | undefined): Record<string, number> {
  return Object.fromEntries((labels ?? []).map(({ label, score }) => [label, score]));
}

describe('a model that takes float32', () => {
  test.each([
    ['gets values from 0 to 255 when no mean and std are given', {}, [15, 40, 75]],
    ['gets (x - mean) / std a channel', { mean: [5, 0, 25], std: [2, 10, 0.5] }, [5, 4, 100]],
    ['gets x - mean when there is a mean alone', { mean: [5, 0, 25] }, [10, 40, 50]],
    ['gets x / std when there is a std alone', { std: [5, 1, 3] }, [3, 40, 25]],
    ['gets pixels in the range that is given', { range: [0, 510] }, [30, 80, 150]],
    ['gets pixels in a range that starts elsewhere', { range: [-100, 155] }, [-85, -60, -25]],
  ])('%s', async (_case, config, [red, green, blue]) => {
    await using folder = await tinyModel(channelMeans(2, 'float32'), config);
    const tiny = await loadClassifier(await readModelFolder(folder.path));
    const before = tensorflowUse().tensors;
    const rows = tiny.infer([PIXELS, new Uint8Array(12), PIXELS], 3);
    expect(scoresOf(rows[0])).toEqual({ red, green, blue });
    expect(scoresOf(rows[2])).toEqual(scoresOf(rows[0]));
    expect(tensorflowUse().tensors).toBe(before);
    tiny.dispose();
  });
});

test('a model for one image at once gets the images of a batch one by one', async () => {
  await using folder = await tinyModel(channelMeans(2, 'float32', [1, 2, 2, 3]));
  const tiny = await loadClassifier(await readModelFolder(folder.path));
  const rows = tiny.infer([PIXELS, new Uint8Array(12).fill(7), PIXELS], 3);
  expect(rows.map(scoresOf)).toEqual([
    { red: 15, green: 40, blue: 75 },
    { red: 7, green: 7, blue: 7 },
    { red: 15, green: 40, blue: 75 },
  ]);
  tiny.dispose();
});

describe('the scores of an image', () => {
  // (15, 40, 75) / 25
  const logits = [0.6, 1.6, 3] as const;
  const std = [25, 25, 25];
  const sum = logits.reduce((all, logit) => all + Math.exp(logit), 0);

  test.each([
    ['softmax', logits.map((logit) => Math.exp(logit) / sum)],
    ['sigmoid', logits.map((logit) => 1 / (1 + Math.exp(-logit)))],
    ['none', logits],
  ])('become probabilities by %s, each image by itself', async (activation, [red, green, blue]) => {
    await using folder = await tinyModel(channelMeans(2, 'float32'), { std, activation });
    const tiny = await loadClassifier(await readModelFolder(folder.path));
    const [, labels] = tiny.infer([new Uint8Array(12).fill(255), PIXELS], 3);
    expect(scoresOf(labels)).toEqual({
      red: expect.closeTo(red ?? Number.NaN, 5),
      green: expect.closeTo(green ?? Number.NaN, 5),
      blue: expect.closeTo(blue ?? Number.NaN, 5),
    });
    tiny.dispose();
  });

  test('stay finite when the logits are large', async () => {
    await using folder = await tinyModel(channelMeans(2, 'float32'), { range: [0, 1e6], activation: 'softmax' });
    const tiny = await loadClassifier(await readModelFolder(folder.path));
    expect(scoresOf(tiny.infer([PIXELS], 3)[0])).toEqual({ red: 0, green: 0, blue: 1 });
    tiny.dispose();
  });

  test.each([
    [0.15, 3, ['blue', 'green', 'red']],
    [0.3, 3, ['blue']],
    [0.1, 2, ['blue', 'green']],
    [0.9, 3, []],
  ])('are labels from a threshold of %d on, at most %d of them', async (threshold, k, expected) => {
    // (15, 40, 75) / 100
    await using folder = await tinyModel(channelMeans(2, 'float32'), { std: [100, 200, 100], threshold });
    const tiny = await loadClassifier(await readModelFolder(folder.path));
    expect(tiny.infer([PIXELS], k)[0]?.map(({ label }) => label)).toEqual(expected);
    tiny.dispose();
  });

  test('that are not numbers fail only their image', async () => {
    // 0 / 1e-44 is 0, and 255 / 1e-44 is too large for a float32.
    await using folder = await tinyModel(channelMeans(2, 'float32'), { std: [1e-44, 1, 1] });
    const tiny = await loadClassifier(await readModelFolder(folder.path));
    expect(() => tiny.infer([PIXELS], 3)).toThrow(/expected finite scores, got Infinity/);
    expect(tiny.infer([new Uint8Array(12)], 3)[0]).toHaveLength(3);
    tiny.dispose();
  });
});
