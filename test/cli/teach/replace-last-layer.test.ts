import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { replaceLastLayer } from '../../../cli/teach/replace-last-layer.ts';
import { type LastLayerWeights, lastLayerOf } from '../../../shared/classifier/model/last-layer.ts';
import { readModelFolder } from '../../../shared/classifier/model/model-folder.ts';
import { readModelHead } from '../../../shared/classifier/model/model-head.ts';
import { openModel } from '../../../shared/classifier/model/open-model.ts';
import { withBytes } from '../../../shared/classifier/model/protobuf-fields.ts';
import { changedModel, DEFAULT_MODEL } from '../../classifier/model-folders.ts';
import { decoded, readPhoto } from '../../classifier/pictures.ts';
import { encode, type Field } from '../../classifier/tiny-model.ts';

const SCORES = 'probabilities:0';
const CLASSES = 1_000;
/** Egyptian cat, missile, espresso. */
const CHOSEN = [285, 657, 967];

async function original(inner: string) {
  const folder = join(DEFAULT_MODEL, inner);
  const bytes = await readFile(join(folder, 'saved_model.pb'));
  const layer = lastLayerOf(bytes, SCORES, folder);
  const { kernel, bias } = await readModelHead({ ...(await readModelFolder(DEFAULT_MODEL)), path: folder });
  return { bytes, layer, weights: { kernel, bias } };
}

/** The columns of some classes. */
function chosenOf({ kernel, bias }: LastLayerWeights): LastLayerWeights {
  const rows = Array.from({ length: kernel.length / CLASSES }, (_, row) => row);
  return {
    kernel: Float32Array.from(rows.flatMap((row) => CHOSEN.map((column) => kernel[row * CLASSES + column] as number))),
    bias: Float32Array.from(CHOSEN, (column) => bias[column] as number),
  };
}

test.each([
  ['in floats', ''],
  ['in integers', 'int8'],
])('replacing the weights of the default model %s with themselves gives the same file', async (_case, inner) => {
  const { bytes, layer, weights } = await original(inner);
  expect(replaceLastLayer(bytes, layer, SCORES, weights).equals(bytes)).toBe(true);
});

test('with the weights of three classes, a photo keeps the ratios of their scores', async () => {
  const { bytes, layer, weights } = await original('');
  await using changed = await changedModel({
    config: { labels: ['cat', 'missile', 'espresso'] },
    files: { 'labels.txt': null, 'saved_model.pb': replaceLastLayer(bytes, layer, SCORES, chosenOf(weights)) },
  });
  const before = await openModel(await readModelFolder(DEFAULT_MODEL));
  const after = await openModel(await readModelFolder(changed.path));
  expect(after.output.shape).toEqual([undefined, 3]);
  const { pixels } = await decoded(await readPhoto('coffee.jpg'), before.folder.config);
  const all = before.scores([pixels]);
  const three = CHOSEN.map((column) => all[column] as number);
  const sum = three.reduce((total, score) => total + score, 0);
  Array.from(after.scores([pixels])).forEach((score, index) => {
    expect(score).toBeCloseTo((three[index] as number) / sum, 4);
  });
  before.dispose();
  after.dispose();
});

test('weights of another length are an error of the caller', async () => {
  const { bytes, layer } = await original('int8');
  const wrong = { kernel: new Float32Array(10), bias: new Float32Array(2) };
  expect(() => replaceLastLayer(bytes, layer, SCORES, wrong)).toThrow('expected 1280 x 2 weights, got 10');
});

test('all other fields stay the same, whatever their types and lengths', () => {
  const fields: Field[] = [
    [1, 300],
    [2, 'before'],
    [3, 'x'.repeat(200)],
    [2, ''],
    [4, -1],
  ];
  const changed = withBytes(encode(fields), 2, (bytes) =>
    Buffer.from(`${bytes} and a text of more than 127 bytes ${'y'.repeat(127)}`),
  );
  const text = (before: string) => `${before} and a text of more than 127 bytes ${'y'.repeat(127)}`;
  expect(changed).toEqual(
    encode([
      [1, 300],
      [2, text('before')],
      [3, 'x'.repeat(200)],
      [2, text('')],
      [4, -1],
    ]),
  );
});
