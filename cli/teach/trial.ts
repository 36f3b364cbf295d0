import { openBestModel } from '../../shared/classifier/model/best-model.ts';
import type { FeatureModel } from '../../shared/classifier/model/feature-model.ts';
import type { LastLayerWeights } from '../../shared/classifier/model/last-layer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { openModel } from '../../shared/classifier/model/open-model.ts';
import type { ModelPrecision } from '../../shared/settings.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { createRandom } from './random.ts';
import { probabilitiesOf } from './score-photos.ts';

/** A test picture and the scores that the written model must return. */
export type Trial = {
  pixels: Uint8Array;
  /** A probability per label. */
  expected: Float32Array;
  precision: ModelPrecision;
};

/** A test picture with many colours, and its features. */
export function testPicture(model: FeatureModel): { pixels: Uint8Array; features: Float32Array } {
  const random = createRandom('trial');
  const pixels = Uint8Array.from({ length: model.folder.config.inputSize ** 2 * 3 }, () => random.below(256));
  return { pixels, features: model.features([pixels]) };
}

export function trialOf(
  { pixels, features }: ReturnType<typeof testPicture>,
  weights: LastLayerWeights,
  precision: ModelPrecision,
): Trial {
  return { pixels, expected: probabilitiesOf(features, weights), precision };
}

/** Tolerance of a probability: 32-bit sums depend on the order of summation. */
const MAX_DIFFERENCE = 1e-3;

/**
 * Opens a model folder as a worker would and labels a picture.
 *
 * @throws {ModelFolderError} when it cannot be opened
 * @throws {CommandError} when it gives other scores than expected
 */
export async function verifyWrittenModel(folder: string, { pixels, expected, precision }: Trial): Promise<void> {
  const { model } = await openBestModel(await readModelFolder(folder), precision, openModel);
  const scores = model.scores([pixels]);
  model.dispose();
  const largest = scores.reduce((most, score, at) => Math.max(most, Math.abs(score - (expected[at] as number))), 0);
  if (scores.length === expected.length && largest <= MAX_DIFFERENCE) return;
  throw new CommandError(
    `this base model cannot be used: expected scores that differ from those of the training by at most ${MAX_DIFFERENCE}, ` +
      `those of the written model differ by ${largest}. Nothing was kept`,
  );
}
