import { openBestModel } from '../../shared/classifier/model/best-model.ts';
import { type FeatureModel, openFeatureModel } from '../../shared/classifier/model/feature-model.ts';
import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import type { Trained } from '../../shared/classifier/model/tensorflow/train-last-layer.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import { startProgress } from '../terminal/progress.ts';
import { printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { withoutCopies } from './copies.ts';
import { displayName } from './display-name.ts';
import type { LabeledPhoto, TrainingSet } from './labeled-photo.ts';
import { findNearDuplicates } from './near-duplicate-groups.ts';
import {
  type FailedPhoto,
  isFailed,
  isReadable,
  photoFeatures,
  type TaughtPhoto,
  viewsPerPhoto,
} from './photo-features.ts';
import type { PhotoReader } from './photo-reader.ts';
import { accuracyOf, confusionOf, labelFacts, leastConfident, predict } from './predict.ts';
import { createRandom, sampleOf } from './random.ts';
import { type Split, splitPhotos } from './split.ts';
import type { Accuracy, Teaching } from './teaching.ts';
import { trainOnSplit } from './train-on-split.ts';
import { type Trial, testPicture, trialOf } from './trial.ts';
import { warningsOf } from './warnings.ts';
import type { TaughtModel } from './write-model.ts';

/** The input of a training. */
export type TrainingInput = {
  from: string;
  name: string;
  trainingSet: TrainingSet;
  base: ModelFolder;
  settings: ClassifierSettings;
  reader: PhotoReader;
  seed: number;
  /** Fraction of the photos of each label to test with. */
  share: number;
};

/** Computes features, trains the last layer, and tests it. */
export async function learn(
  learning: TrainingInput,
): Promise<{ teaching: Teaching; taught: TaughtModel; trial: Trial }> {
  const { from, name, trainingSet, base, settings, reader, seed, share } = learning;
  const views = viewsPerPhoto(trainingSet.photos.length);
  const opened = await openBestModel(base, settings.modelPrecision, openFeatureModel);
  checkSoftmax(opened.model);
  for (const warning of opened.warnings) printNote(`${warning}\n`);
  const length = opened.model.featureLength;
  const picture = testPicture(opened.model);
  const read = await readAll(trainingSet.photos, opened.model, { reader, seed, views }).finally(() =>
    opened.model.dispose(),
  );
  const failures = read.filter(isFailed);
  const { photos, copies } = withoutCopies(read.filter(isReadable));
  checkRest(trainingSet.labels, photos, failures);
  const nearDuplicates = findNearDuplicates(photos, length);
  const split = splitPhotos(photos, nearDuplicates.groups, share, createRandom(`${seed} split`));
  const weights = trainOnSplit(split, trainingSet.labels, length, seed);
  const predicted = predict(split, trainingSet.labels, weights);
  const labels = labelFacts(predicted, trainingSet.labels);
  const teaching: Teaching = {
    from,
    seed,
    views,
    labels,
    accuracy: accuracyOf(predicted),
    confusion: confusionOf(predicted, trainingSet.labels),
    arithmetic: opened.arithmetic,
    inFloats: opened.arithmetic === 'float32' ? undefined : await testInFloats(split, weights, learning),
    epochs: weights.epochs,
    unsure: leastConfident(predicted),
    copies,
    pairs: nearDuplicates.pairs,
    pairCount: nearDuplicates.pairCount,
    acrossLabels: nearDuplicates.acrossLabels,
    failures,
    leftOut: trainingSet.leftOut,
    warnings: warningsOf(labels, nearDuplicates),
  };
  const trial = trialOf(picture, weights, settings.modelPrecision);
  return { teaching, taught: { name, labels: trainingSet.labels, weights }, trial };
}

/** @throws {CommandError} when the last layer is trained as a softmax and would be used as something else */
function checkSoftmax({ lastLayer, folder }: FeatureModel): void {
  const { activation } = folder.config;
  const inGraph = lastLayer.after.filter((operation) => operation !== 'Identity');
  const all = [...inGraph, ...(activation === 'none' ? [] : [activation])].map((name) => name.toLowerCase());
  if (all.length === 1 && all[0] === 'softmax') return;
  const got = all.length === 0 ? 'no activation' : all.join(' and ');
  throw new CommandError(`${visibleLine(folder.path)}: expected a model whose scores are a softmax, got ${got}`);
}

async function readAll(
  photos: readonly LabeledPhoto[],
  model: FeatureModel,
  { reader, seed, views }: { reader: PhotoReader; seed: number; views: number },
): Promise<(TaughtPhoto | FailedPhoto)[]> {
  const progress = startProgress('analyzed', photos.length);
  const options = { model, read: reader.read, views, seed, onProgress: progress.update };
  return photoFeatures(photos, options).finally(progress.stop);
}

/** Unreadable photos may leave a label without any. */
function checkRest(labels: readonly string[], photos: readonly TaughtPhoto[], failures: readonly FailedPhoto[]): void {
  const counts = Map.groupBy(photos, ({ label }) => label);
  const lacking = labels.filter((label) => (counts.get(label)?.length ?? 0) < 2);
  if (lacking.length === 0) return;
  const named = failures
    .slice(0, 5)
    .map(({ failure, ...photo }) => `\n  ${displayName(photo)}: ${failure.code}: ${visibleLine(failure.message)}`);
  throw new CommandError(
    `expected at least two different photos per label that can be read, got ${lacking
      .map((label) => `${counts.get(label)?.length ?? 0} for ${JSON.stringify(label)}`)
      .slice(0, 5)
      .join(', ')}${named.length > 0 ? `; of ${failures.length} that cannot be read:${named.join('')}` : ''}`,
  );
}

/** Maximum number of test photos that are tested again in floats. */
const MAX_IN_FLOATS = 500;

/** Other processors compute in floats, for which the last layer was not trained. */
async function testInFloats(
  { heldOut }: Split,
  weights: Trained,
  { base, trainingSet, reader, seed }: TrainingInput,
): Promise<Accuracy | undefined> {
  const model = await openFeatureModel(base);
  // The photos are sorted by label, so the first ones would not cover all labels.
  const photos = sampleOf(heldOut, MAX_IN_FLOATS, createRandom(`${seed} floats`));
  const found = await photoFeatures(photos, { model, read: reader.read, views: 0, seed, onProgress() {} }).finally(() =>
    model.dispose(),
  );
  const readable = found.filter(isReadable);
  if (readable.length === 0) return undefined;
  return accuracyOf(predict({ training: [], heldOut: readable }, trainingSet.labels, weights));
}
