import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { loadClassifier, loadEmbeddingClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { readModelHead } from '../../shared/classifier/model/model-head.ts';
import { createDenseLayer } from '../../shared/classifier/model/tensorflow/dense-layer.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { topK } from '../../shared/classifier/model/top-k.ts';
import { readTrunk } from '../../shared/classifier/model/trunk.ts';
import { decodeEmbedding, TRUNK } from '../../shared/contract/embedding.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { ModelPrecision } from '../../shared/settings.ts';
import { changedModel, DEFAULT_MODEL } from './model-folders.ts';
import { graphFolder } from './tfjs-folders.ts';
import { channelMeans } from './tiny-model.ts';

async function pixels(): Promise<Uint8Array[]> {
  const { config } = await readModelFolder(DEFAULT_MODEL);
  return Promise.all(
    ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg'].map(async (photo) => {
      const decoded = await decodeImage(
        await readFile(join(import.meta.dirname, '../../samples/photos', photo)),
        config,
      );
      if (decoded instanceof ImageFailure) throw decoded;
      return decoded.pixels;
    }),
  );
}

test.each<ModelPrecision>(['float32', 'auto'])(
  '%s: labels are those of a model without embeddings',
  async (precision) => {
    const before = tensorflowUse();
    const folder = await readModelFolder(DEFAULT_MODEL);
    const [plain, embedding] = [
      await loadClassifier(folder, precision),
      await loadEmbeddingClassifier(folder, precision),
    ];
    const images = await pixels();
    const answers = embedding.embed?.(images, 5) ?? [];
    expect(answers.map(({ labels }) => labels)).toEqual(plain.infer(images, 5));
    expect(embedding.infer(images, 5)).toEqual(plain.infer(images, 5));
    expect(plain).not.toHaveProperty('embed');
    // In integers it has another version and the same trunk.
    expect(answers[0]?.embedding).toEqual({ embedding: expect.any(String), trunk: await readTrunk(folder) });
    plain.dispose();
    embedding.dispose();
    expect(tensorflowUse()).toEqual(before);
  },
);

test("the last layer, read from the file, computes the model's scores from its embeddings", async () => {
  const folder = await readModelFolder(DEFAULT_MODEL);
  const classifier = await loadEmbeddingClassifier(folder, 'float32');
  const answers = classifier.embed?.(await pixels(), 3) ?? [];
  classifier.dispose();
  const head = await readModelHead(folder);
  expect(head).toMatchObject({ length: 1_280, activations: ['softmax'], trunk: answers[0]?.embedding.trunk });
  const layer = createDenseLayer(head);
  for (const { labels, embedding } of answers) {
    const scores = layer.scores(decodeEmbedding(embedding.embedding) as Float32Array);
    const [best] = topK(scores, folder.labels, 3);
    expect(best).toMatchObject({ label: labels[0]?.label, score: expect.closeTo(labels[0]?.score ?? -1, 2) });
  }
  layer.dispose();
});

test('models that differ only in labels and name have the same trunk; a different input makes another trunk', async () => {
  const trunkOf = async (config: object) => {
    await using changed = await changedModel({ config: { ...config } });
    return readTrunk(await readModelFolder(changed.path));
  };
  const trunk = await readTrunk(await readModelFolder(DEFAULT_MODEL));
  expect(trunk).toMatch(TRUNK);
  expect(await trunkOf({ name: 'other', version: '9', threshold: 0.5, activation: 'none' })).toBe(trunk);
  for (const config of [{ crop: 0.9 }, { interpolation: 'linear' }, { range: [0, 1] }]) {
    expect(await trunkOf(config)).not.toBe(trunk);
  }
});

test('different weights make another trunk', async () => {
  const bytes = await readFile(join(DEFAULT_MODEL, 'saved_model.pb'));
  // Within the weights of the first convolutions.
  bytes.writeUInt8(bytes.readUInt8(9_000) ^ 1, 9_000);
  await using changed = await changedModel({ files: { 'saved_model.pb': bytes } });
  expect(await readTrunk(await readModelFolder(changed.path))).not.toBe(
    await readTrunk(await readModelFolder(DEFAULT_MODEL)),
  );
});

test('a model without such a layer is refused at the start', async () => {
  await using graph = await graphFolder({ output: 'means' });
  await expect(loadEmbeddingClassifier(await readModelFolder(graph.path), 'auto')).rejects.toThrow(
    /expected a SavedModel to take features from, got a graph-model/,
  );
  await using means = await changedModel({
    config: { inputSize: 4, output: undefined, labels: ['red', 'green', 'blue'] },
    files: { 'saved_model.pb': channelMeans(4, 'float32'), 'labels.txt': null },
  });
  await expect(loadEmbeddingClassifier(await readModelFolder(means.path), 'auto')).rejects.toThrow(
    /expected a frozen graph that ends in one dense layer/,
  );
  await using unnamed = await changedModel({ config: { output: 'nothing' } });
  await expect(readTrunk(await readModelFolder(unnamed.path))).rejects.toThrow(
    /saved_model\.pb: expected an output of the signature serving_default, nothing/,
  );
});

test('a missing label is an error before anything is computed', async () => {
  await using changed = await changedModel({ files: { 'labels.txt': 'one\ntwo\n' } });
  await expect(readModelHead(await readModelFolder(changed.path))).rejects.toThrow(
    /expected a label for each score, got 2 labels in labels\.txt and 1000 scores/,
  );
});

test('a damaged file is an error of the model folder, not of the program', async () => {
  await using damaged = await changedModel({ files: { 'saved_model.pb': Buffer.from([0x12, 0xff, 0x7f, 1]) } });
  await expect(readTrunk(await readModelFolder(damaged.path))).rejects.toThrow(ModelFolderError);
});
