import type { Arithmetic } from '../../shared/classifier/model/int8-model.ts';
import type { Copy } from './copies.ts';
import type { NearDuplicatePair } from './near-duplicate-groups.ts';
import type { FailedPhoto, TaughtPhoto } from './photo-features.ts';

/** The prediction for a photo whose label is known. */
export type Prediction = {
  photo: TaughtPhoto;
  /** Whether it is a test photo, which the model was not trained on. */
  heldOut: boolean;
  /** The probability of its actual label. */
  score: number;
  /** The predicted label, with its probability. */
  best: string;
  bestScore: number;
};

/** Accuracy on photos that the model was not trained on. */
export type Accuracy = { photos: number; right: number };

export type LabelFacts = { label: string; training: number; heldOut: number; right: number };

/** Like those of `model check`: a stable code, and what to do. */
export type TeachingWarning = { code: 'few_photos' | 'photos_alike' | 'alike_under_two_labels'; message: string };

/** The result of a training. */
export type Teaching = {
  /** As the user named it. */
  from: string;
  seed: number;
  views: number;
  labels: LabelFacts[];
  accuracy: Accuracy;
  /** Confusion matrix of the test photos: a row per actual label, a column per predicted label. */
  confusion: number[][];
  /** The arithmetic of the features, and the accuracy of the same last layer on float features, if that differs. */
  arithmetic: Arithmetic;
  inFloats: Accuracy | undefined;
  epochs: { best: number; run: number };
  /** Least confident first. */
  unsure: Prediction[];
  copies: Copy[];
  /** Of one label, the most alike first; `pairCount` says how many there are. */
  pairs: NearDuplicatePair[];
  pairCount: number;
  acrossLabels: NearDuplicatePair[];
  failures: FailedPhoto[];
  leftOut: ReadonlyMap<string, number>;
  warnings: TeachingWarning[];
};

/** E.g. `97.5 %`. */
export function percentText({ photos, right }: Accuracy): string {
  return `${((100 * right) / photos).toFixed(1)} %`;
}
