import { openBestModel } from '../../shared/classifier/model/best-model.ts';
import { type FeatureModel, openFeatureModel } from '../../shared/classifier/model/feature-model.ts';
import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import type { Trained } from '../../shared/classifier/model/tensorflow/train-last-layer.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import { startProgress } from '../terminal/progress.ts';
import { printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { findAlike } from './alike.ts';
import { withoutCopies } from './copies.ts';
import { accuracyOf, confusionOf, judge, labelFacts, leastSure } from './judge.ts';
import type { LabelledPhoto, Lesson } from './labelled-photo.ts';
import {
  type FailedPhoto,
  isFailed,
  isRead,
  photoFeatures,
  type TaughtPhoto,
  viewsPerPhoto,
} from './photo-features.ts';
import type { PhotoReader } from './photo-reader.ts';
import { createRandom, sampleOf } from './random.ts';
import { shownName } from './shown-name.ts';
import { type Split, splitPhotos } from './split.ts';
import type { Accuracy, Teaching } from './teaching.ts';
import { trainOnSplit } from './train-on-split.ts';
import { type Trial, trialOf, trialPicture } from './trial.ts';
import { warningsOf } from './warnings.ts';
import type { TaughtModel } from './write-model.ts';

/** The input of a training. */
export type Learning = {
  from: string;
  name: string;
  lesson: Lesson;
  base: ModelFolder;
  settings: ClassifierSettings;
  reader: PhotoReader;
  seed: number;
  /** Fraction of the photos of each label to test with. */
  share: number;
};

/** Computes features, trains the last layer, and tests it. */
export async function learn(learning: Learning): Promise<{ teaching: Teaching; taught: TaughtModel; trial: Trial }> {
  const { from, name, lesson, base, settings, reader, seed, share } = learning;
  const views = viewsPerPhoto(lesson.photos.length);
  const opened = await openBestModel(base, settings.modelPrecision, openFeatureModel);
  checkSoftmax(opened.model);
  for (const warning of opened.warnings) printNote(`${warning}\n`);
  const length = opened.model.featureLength;
  const picture = trialPicture(opened.model);
  const read = await readAll(lesson.photos, opened.model, { reader, seed, views }).finally(() =>
    opened.model.dispose(),
  );
  const failures = read.filter(isFailed);
  const { photos, copies } = withoutCopies(read.filter(isRead));
  checkRest(lesson.labels, photos, failures);
  const alike = findAlike(photos, length);
  const split = splitPhotos(photos, alike.groups, share, createRandom(`${seed} split`));
  const weights = trainOnSplit(split, lesson.labels, length, seed);
  const judged = judge(split, lesson.labels, weights);
  const labels = labelFacts(judged, lesson.labels);
  const teaching: Teaching = {
    from,
    seed,
    views,
    labels,
    accuracy: accuracyOf(judged),
    confusion: confusionOf(judged, lesson.labels),
    arithmetic: opened.arithmetic,
    inFloats: opened.arithmetic === 'float32' ? undefined : await testInFloats(split, weights, learning),
    epochs: weights.epochs,
    unsure: leastSure(judged),
    copies,
    pairs: alike.pairs,
    pairCount: alike.pairCount,
    acrossLabels: alike.acrossLabels,
    failures,
    leftOut: lesson.leftOut,
    warnings: warningsOf(labels, alike),
  };
  const trial = trialOf(picture, weights, settings.modelPrecision);
  return { teaching, taught: { name, labels: lesson.labels, weights }, trial };
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
  photos: readonly LabelledPhoto[],
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
    .map(({ failure, ...photo }) => `\n  ${shownName(photo)}: ${failure.code}: ${visibleLine(failure.message)}`);
  throw new CommandError(
    `expected at least two different photos per label that can be read, got ${lacking
      .map((label) => `${counts.get(label)?.length ?? 0} for ${JSON.stringify(label)}`)
      .slice(0, 5)
      .join(', ')}${named.length > 0 ? `; of ${failures.length} that cannot be read:${named.join('')}` : ''}`,
  );
}

/** Maximum number of test photos that are tested again in floats. */
const MOST_IN_FLOATS = 500;

/** Other processors compute in floats, for which the last layer was not trained. */
async function testInFloats(
  { heldOut }: Split,
  weights: Trained,
  { base, lesson, reader, seed }: Learning,
): Promise<Accuracy | undefined> {
  const model = await openFeatureModel(base);
  // The photos are sorted by label, so the first ones would not cover all labels.
  const photos = sampleOf(heldOut, MOST_IN_FLOATS, createRandom(`${seed} floats`));
  const found = await photoFeatures(photos, { model, read: reader.read, views: 0, seed, onProgress() {} }).finally(() =>
    model.dispose(),
  );
  const readable = found.filter(isRead);
  if (readable.length === 0) return undefined;
  return accuracyOf(judge({ training: [], heldOut: readable }, lesson.labels, weights));
}
