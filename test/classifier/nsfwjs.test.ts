import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { load, type NSFWJS } from 'nsfwjs';
import { type Classifier, loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { tf } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import type { TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { NSFWJS_MODELS, type NsfwjsModel, nsfwjsFolder } from './nsfwjs-folders.ts';
import { decoded } from './pictures.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
const PHOTOS = Object.keys(JSON.parse(await readFile(join(SAMPLES, 'expected.json'), 'utf8')));

/**
 * Decoding, the square and its size are ours on both sides: the package takes pixels, and would squeeze
 * and resize larger ones in its own way. What is compared is all after that: normalization, network,
 * scores and labels.
 */
describe.each(Object.keys(NSFWJS_MODELS) as NsfwjsModel[])('the %s of nsfwjs', (name) => {
  let folder: TemporaryFolder;
  let ours: Classifier;
  let theirs: NSFWJS;

  beforeAll(async () => {
    folder = await nsfwjsFolder(name);
    ours = await loadClassifier(await readModelFolder(folder.path));
    // It tells people on a terminal where else models may be kept.
    const info = jest.spyOn(console, 'info').mockImplementation(() => {});
    theirs = await load(name);
    info.mockRestore();
  });
  afterAll(async () => {
    ours.dispose();
    theirs.dispose();
    await folder[Symbol.asyncDispose]();
  });

  test.each(PHOTOS)('gives %s the scores of the package', async (photo) => {
    const { pixels } = await decoded(await readFile(join(SAMPLES, photo)), ours.format);
    const picture = tf.tensor3d(pixels, [224, 224, 3], 'int32');
    const answers = await theirs.classify(picture, 5);
    picture.dispose();
    const [labels = []] = ours.infer([pixels], 5);
    const byName = Object.fromEntries(labels.map(({ label, score }) => [label, score]));
    expect(Object.keys(byName)).toHaveLength(5);
    for (const { className, probability } of answers) {
      expect(Math.abs((byName[className] ?? Number.NaN) - probability)).toBeLessThanOrEqual(0.01);
    }
    expect(labels[0]?.label).toBe(answers[0]?.className);
  });
});
