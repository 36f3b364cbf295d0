import type { Arithmetic } from '../../shared/classifier/model/int8-model.ts';
import type { AlikePair } from './alike.ts';
import type { Copy } from './copies.ts';
import type { FailedPhoto, TaughtPhoto } from './photo-features.ts';

/** What the model says of a photo whose label is known. */
export type Judged = {
  photo: TaughtPhoto;
  /** Whether the photo was held out, so that the model has never seen it. */
  heldOut: boolean;
  /** The probability of the label that it stands under. */
  score: number;
  /** The label that the model gives, with its probability. */
  best: string;
  bestScore: number;
};

/** How often a model is right about photos that it has not seen. */
export type Accuracy = { photos: number; right: number };

export type LabelFacts = { label: string; training: number; heldOut: number; right: number };

/** Like those of `model check`: a stable code, and what to do. */
export type TeachingWarning = { code: 'few_photos' | 'photos_alike' | 'alike_under_two_labels'; message: string };

/** All that is known once a model was taught. */
export type Teaching = {
  /** As the user named it. */
  from: string;
  seed: number;
  views: number;
  labels: LabelFacts[];
  accuracy: Accuracy;
  /** Held-out photos: a row per label that they stand under, a column per label that the model gives. */
  confusion: number[][];
  /** What the features were computed in, and how often the same last layer is right behind floats, where that is another. */
  arithmetic: Arithmetic;
  inFloats: Accuracy | undefined;
  epochs: { best: number; run: number };
  /** The least sure first. */
  unsure: Judged[];
  copies: Copy[];
  /** Of one label, the most alike first; `pairCount` says how many there are. */
  pairs: AlikePair[];
  pairCount: number;
  acrossLabels: AlikePair[];
  failures: FailedPhoto[];
  leftOut: ReadonlyMap<string, number>;
  warnings: TeachingWarning[];
};

/** E.g. `97.5 %`. */
export function percentText({ photos, right }: Accuracy): string {
  return `${((100 * right) / photos).toFixed(1)} %`;
}
