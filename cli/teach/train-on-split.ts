import { MAX_EPOCHS, type Trained, trainLastLayer } from '../../shared/classifier/model/tensorflow/train-last-layer.ts';
import { startProgress } from '../terminal/progress.ts';
import type { TaughtPhoto } from './photo-features.ts';
import { createRandom, shuffle } from './random.ts';
import type { Split } from './split.ts';

/**
 * Trains the last layer on one part, with early stopping by the other.
 *
 * @param length of the features of an image
 */
export function trainOnSplit(split: Split, labels: readonly string[], length: number, seed: number): Trained {
  const random = createRandom(`${seed} epochs`);
  const progress = startProgress('epochs', MAX_EPOCHS);
  const counts = Map.groupBy(split.training, ({ label }) => label);
  const classWeights = Float32Array.from(
    labels,
    (label) => split.training.length / (labels.length * (counts.get(label)?.length ?? 1)),
  );
  try {
    const trained = trainLastLayer({
      training: examplesOf(split.training, labels, length),
      heldOut: examplesOf(
        split.heldOut.map((photo) => ({ ...photo, views: new Float32Array() })),
        labels,
        length,
      ),
      length,
      classWeights,
      shuffled: (rows) =>
        shuffle(
          Int32Array.from({ length: rows }, (_, row) => row),
          random,
        ),
      onEpoch: progress.update,
    });
    if (trained.epochs.run < MAX_EPOCHS) progress.update(trained.epochs.run, 'no better any more');
    return trained;
  } finally {
    progress.stop();
  }
}

/** The photo and its views, a row each. */
function examplesOf(photos: readonly TaughtPhoto[], labels: readonly string[], length: number) {
  const classOf = new Map(labels.map((label, index) => [label, index]));
  const rows = photos.reduce((sum, { views }) => sum + 1 + views.length / length, 0);
  const features = new Float32Array(rows * length);
  const classes = new Int32Array(rows);
  let row = 0;
  for (const { label, features: plain, views } of photos) {
    const own = 1 + views.length / length;
    features.set(plain, row * length);
    features.set(views, (row + 1) * length);
    classes.fill(classOf.get(label) as number, row, row + own);
    row += own;
  }
  return { features, classes };
}
