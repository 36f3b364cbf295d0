import { describe, expect, test } from '@jest/globals';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { type Change, changedModel } from './model-folders.ts';
import { channelMeans } from './tiny-model.ts';

/** What the error must name. */
const WRONG: [what: string, change: Change, names: RegExp][] = [
  ['a saved_model.pb that is none', { files: { 'saved_model.pb': 'no model' } }, /expected a SavedModel/],
  [
    'a signature that it does not have',
    { config: { signature: 'classify' } },
    /with the signature classify: .*; it has serving_default/,
  ],
  ['an output that it does not have', { config: { output: 'logits' } }, /output named logits, got probabilities/],
  [
    'a mean, though its model normalizes',
    { config: { mean: [127, 127, 127] } },
    /no range, mean or std .* a model that takes uint8/,
  ],
  [
    'a range, though its model normalizes',
    { config: { range: [-1, 1] } },
    /no range, mean or std .* a model that takes uint8/,
  ],
  [
    'fewer labels than scores',
    { files: { 'labels.txt': 'cat\ndog\n' } },
    /got 2 labels in labels\.txt and 1000 scores in the output probabilities \[\?, 1000\]/,
  ],
  [
    'fewer labels than scores, in classifier.json',
    { config: { labels: ['cat'] }, files: { 'labels.txt': null } },
    /got 1 labels in classifier\.json and 1000 scores/,
  ],
  [
    'an inputSize that its model does not have',
    { config: { inputSize: 299 } },
    /inputSize of classifier\.json, 299, got \[\?, 224, 224, 3\]/,
  ],
  ['a model of a type that pixels do not have', tiny(channelMeans(2, 'float64')), /DT_DOUBLE/],
  ['a model that gives whole numbers', tiny(channelMeans(2, 'int32')), /expected scores of float32, got int32/],
  [
    'a model with its channels first',
    tiny(channelMeans(2, 'float32', [-1, 3, 2, 2])),
    /\[batch, height, width, channels\], got channels first: \[\?, 3, 2, 2\]/,
  ],
  [
    'a model of gray pictures',
    tiny(channelMeans(2, 'float32', [-1, 2, 2, 1])),
    /\[batch, height, width, 3\], got \[\?, 2, 2, 1\]/,
  ],
  [
    'a model for four images at once',
    tiny(channelMeans(2, 'float32', [4, 2, 2, 3])),
    /a batch of any size or of 1 .*got \[4, 2, 2, 3\]/,
  ],
  [
    'a model that gives no numbers',
    {
      ...tiny(channelMeans(2, 'float32')),
      config: { inputSize: 2, output: 'means', mean: [1, 1, 1], std: [1e-44, 1, 1] },
    },
    /scores for black images, it failed: expected finite scores, got -Infinity/,
  ],
];

function tiny(model: Buffer): Change {
  return {
    config: { inputSize: 2, output: 'means' },
    files: { 'saved_model.pb': model, 'labels.txt': 'red\ngreen\nblue\n' },
  };
}

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
