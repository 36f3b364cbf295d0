import { describe, expect, test } from '@jest/globals';
import {
  activationWarnings,
  comparisonWarnings,
  formatWarnings,
  normalizationWarnings,
} from '../../cli/model/check/model-warnings.ts';

const rows = (...images: number[][]) => images.map((image) => Float32Array.from(image));
const codes = (warnings: { code: string }[]) => warnings.map(({ code }) => code);

test.each([
  ['saved-model', undefined, []],
  ['graph-model', undefined, ['slow_format']],
  ['layers-model', undefined, ['slow_format']],
  ['saved-model', 1, ['one_image_at_once']],
] as const)('a %s with a batch of %p: %j', (format, fixedBatch, expected) => {
  expect(codes(formatWarnings(format, { dtype: 'float32', fixedBatch }))).toEqual(expected);
});

describe('scores', () => {
  const sure = rows([0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0, 0, 1], [0.2, 0.7, 0.1]);
  const logits = rows([5, -3, 0.5], [-1, 2, 0]);
  const several = rows([0.9, 0.8, 0.1], [0, 0.1, 0]);
  const flat = rows([0.5, 0.3, 0.2], [0.35, 0.35, 0.3], [0.2, 0.3, 0.5], [0.4, 0.3, 0.3]);

  test.each([
    ['probabilities as they are', sure, { activation: 'none' }, []],
    ['a softmax of probabilities', sure, { activation: 'softmax' }, ['activation_twice']],
    ['a sigmoid of probabilities', several, { activation: 'sigmoid' }, ['activation_twice']],
    ['a softmax of scores that do not add up', several, { activation: 'softmax' }, []],
    ['a softmax of logits', logits, { activation: 'softmax' }, []],
    ['a sigmoid of logits', logits, { activation: 'sigmoid' }, []],
    ['logits as they are', logits, { activation: 'none' }, ['scores_are_logits']],
    ['several labels an image', several, { activation: 'none' }, ['scores_do_not_add_up']],
    ['several labels an image, with a threshold', several, { activation: 'none', threshold: 0.5 }, []],
    ['scores that a second softmax made flat', flat, { activation: 'none' }, ['flat_scores']],
    ['the same of too few images to tell', flat.slice(1), { activation: 'none' }, []],
    ['no images', [], { activation: 'none' }, []],
  ] as const)('%s', (_what, images, config, expected) => {
    expect(codes(activationWarnings(images, config))).toEqual(expected);
  });
});

describe('normalization', () => {
  const float = { dtype: 'float32', fixedBatch: undefined } as const;
  const range = { mean: [0, 0, 0], std: [255, 255, 255] } as { mean: [0, 0, 0]; std: [255, 255, 255] };

  test.each([
    ['in classifier.json', range, float, false, []],
    ['in the model', {}, float, true, []],
    ['in both', range, float, true, ['normalized_twice']],
    ['in neither', {}, float, false, ['not_normalized']],
    ['in a model that takes bytes', {}, { ...float, dtype: 'uint8' as const }, false, []],
  ])('%s', (_where, config, input, own, expected) => {
    expect(codes(normalizationWarnings(config, input, own))).toEqual(expected);
  });
});

describe('another normalization', () => {
  const same = rows([0.4, 0.6], [0.4, 0.6], [0.4, 0.6], [0.4, 0.6]);
  const sureAndTheSame = rows([0, 1], [0, 1], [0, 1], [0, 1]);
  const sureAndDifferent = rows([0, 1], [1, 0], [0, 1], [1, 0]);
  const different = rows([0.2, 0.8], [0.8, 0.2], [0.2, 0.8], [0.8, 0.2]);

  test('is recommended when its labels depend on the image and those of the configured one do not', () => {
    const [warning, ...more] = comparisonWarnings(same, { first: sureAndTheSame, second: sureAndDifferent });
    expect(warning?.code).toBe('wrong_normalization');
    expect(warning?.message).toMatch(/all 4 images get nearly the same answer, with second they do not/);
    expect(more).toEqual([]);
  });

  test.each([
    ['is surer only', same, sureAndTheSame],
    ['is surer, but the configured one tells images apart too', different, sureAndDifferent],
    ['had too few images', same.slice(1), sureAndDifferent.slice(1)],
  ])('is not recommended when it %s', (_what, configured, other) => {
    expect(comparisonWarnings(configured, { other })).toEqual([]);
  });
});
