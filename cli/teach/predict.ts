import type { LastLayerWeights } from '../../shared/classifier/model/last-layer.ts';
import { bestOf, probabilitiesOf } from './score-photos.ts';
import type { Split } from './split.ts';
import type { Accuracy, LabelFacts, Prediction } from './teaching.ts';

/** The predictions of the taught model. */
export function predict(split: Split, labels: readonly string[], weights: LastLayerWeights): Prediction[] {
  const classOf = new Map(labels.map((label, index) => [label, index]));
  const predicted = (heldOut: boolean) => (photo: Prediction['photo']) => {
    const scores = probabilitiesOf(photo.features, weights);
    const best = bestOf(scores);
    const own = classOf.get(photo.label) as number;
    return {
      photo,
      heldOut,
      score: scores[own] as number,
      best: labels[best] as string,
      bestScore: scores[best] as number,
    };
  };
  return [...split.training.map(predicted(false)), ...split.heldOut.map(predicted(true))];
}

export function accuracyOf(predicted: readonly Prediction[]): Accuracy {
  const heldOut = predicted.filter((one) => one.heldOut);
  return { photos: heldOut.length, right: heldOut.filter(isRight).length };
}

/** Confusion matrix of the test photos: a row per actual label, a column per predicted label. */
export function confusionOf(predicted: readonly Prediction[], labels: readonly string[]): number[][] {
  const indexOf = new Map(labels.map((label, index) => [label, index]));
  const rows = labels.map(() => labels.map(() => 0));
  for (const { heldOut, photo, best } of predicted) {
    const row = rows[indexOf.get(photo.label) as number] as number[];
    const column = indexOf.get(best) as number;
    if (heldOut) row[column] = (row[column] as number) + 1;
  }
  return rows;
}

export function labelFacts(predicted: readonly Prediction[], labels: readonly string[]): LabelFacts[] {
  const byLabel = Map.groupBy(predicted, ({ photo }) => photo.label);
  return labels.map((label) => {
    const own = byLabel.get(label) ?? [];
    const heldOut = own.filter((one) => one.heldOut);
    return {
      label,
      training: own.length - heldOut.length,
      heldOut: heldOut.length,
      right: heldOut.filter(isRight).length,
    };
  });
}

const MAX_UNSURE = 12;

/** The least confident predictions, which include photos under a wrong label; training photos may be among them. */
export function leastConfident(predicted: readonly Prediction[]): Prediction[] {
  return predicted.toSorted((one, other) => one.score - other.score).slice(0, MAX_UNSURE);
}

function isRight({ photo, best }: Prediction): boolean {
  return photo.label === best;
}
