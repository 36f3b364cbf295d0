import { cp } from 'node:fs/promises';
import { basename } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { tf } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { decoded, readPhoto } from './pictures.ts';
import { METADATA, teachableMachineFolder } from './tfjs-folders.ts';

test('an export of Teachable Machine works as it is, with the scores of its own page', async () => {
  await using folder = await teachableMachineFolder();
  const classifier = await loadClassifier(await readModelFolder(folder.path));
  const { pixels } = await decoded(await readPhoto('coffee.jpg'), classifier.format);

  const model = await loadLayersModel(tf.io.fileSystem(`${folder.path}/model.json`));
  const onItsPage = tf.tidy(() => {
    // `capture` of @teachablemachine/image.
    const input = tf.tensor4d(Float32Array.from(pixels), [1, 224, 224, 3]).div(127).sub(1);
    return [...(model.predict(input) as tf.Tensor).dataSync()];
  });
  model.dispose();

  const [labels = []] = classifier.infer([pixels], 3);
  expect(labels.map(({ label, classId }) => [label, classId])).toEqual(
    onItsPage
      .map((score, classId) => ({ score, classId }))
      .toSorted((one, other) => other.score - one.score)
      .map(({ classId }) => [METADATA.labels[classId], classId]),
  );
  for (const { classId, score } of labels) expect(score).toBeCloseTo(onItsPage[classId] ?? Number.NaN, 5);
  expect(Math.max(...onItsPage) - Math.min(...onItsPage)).toBeGreaterThan(0.01);
  classifier.dispose();
});

test('its name is that of the project, its version changes with its weights and with nothing else', async () => {
  await using one = await teachableMachineFolder();
  await using same = await createTemporaryFolder();
  await using other = await createTemporaryFolder();
  for (const copy of [same, other]) await cp(one.path, copy.path, { recursive: true });
  await same.write('photo.jpg', 'no part of the model');
  await other.write('weights.bin', Buffer.alloc(1));
  const [first, second, third] = await Promise.all([one, same, other].map(({ path }) => readModelFolder(path)));
  expect(first?.config).toMatchObject({ name: 'cups-and-cats', version: expect.stringMatching(/^[0-9a-f]{12}$/) });
  expect(second?.config.version).toBe(first?.config.version);
  expect(third?.config.version).not.toBe(first?.config.version);
});

test('one without a name has that of its folder, and one without a size 224 pixels', async () => {
  await using folder = await teachableMachineFolder({ modelName: undefined, imageSize: undefined });
  const { config } = await readModelFolder(folder.path);
  expect(config).toMatchObject({ name: basename(folder.path), inputSize: 224 });
});

test('classifier.json takes precedence when there is one', async () => {
  await using folder = await teachableMachineFolder();
  const config = { name: 'mine', version: '2', licence: 'none', inputSize: 224, crop: 1, interpolation: 'linear' };
  await folder.write('classifier.json', JSON.stringify({ ...config, labels: ['a', 'b', 'c'], range: [-1, 1] }));
  expect(await readModelFolder(folder.path)).toMatchObject({ config, labels: ['a', 'b', 'c'] });
});

test.each([
  ['no labels', { labels: undefined }, /metadata\.json: .*Teachable Machine export.*at labels/s],
  ['labels that are empty', { labels: [] }, /metadata\.json: .*at labels/s],
  ['a size in words', { imageSize: 'large' }, /metadata\.json: .*at imageSize/s],
])('a metadata.json with %s is refused', async (_what, metadata, message) => {
  await using folder = await teachableMachineFolder(metadata);
  await expect(readModelFolder(folder.path)).rejects.toThrow(message);
});

test('there must be as many labels as scores', async () => {
  await using folder = await teachableMachineFolder({ labels: ['cups', 'cats'] });
  await expect(loadClassifier(await readModelFolder(folder.path))).rejects.toThrow(
    /got 2 labels in metadata\.json and 3 scores/,
  );
});
