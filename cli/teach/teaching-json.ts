import packageJson from '../../package.json' with { type: 'json' };
import type { LabeledPhoto } from './labeled-photo.ts';
import type { NearDuplicatePair } from './near-duplicate-groups.ts';
import type { Prediction, Teaching } from './teaching.ts';

/** A written model. */
export type WrittenModel = { path: string; name: string; version: string; sha256: string };

/** What `teaching.json` in the model folder says: how the model was trained, without photo names and times. */
export function teachingSummary({
  seed,
  views,
  labels,
  accuracy,
  inFloats,
  arithmetic,
  epochs,
  confusion,
}: Teaching): object {
  return {
    labelqueue: packageJson.version,
    seed,
    viewsPerPhoto: views + 1,
    epochs,
    labels,
    heldOut: { ...accuracy, confusion, arithmetic, inFloats: inFloats ?? null },
  };
}

/** What `--json` prints: the summary, and the photos. */
export function teachingJson(teaching: Teaching, model: WrittenModel): object {
  return {
    model,
    ...teachingSummary(teaching),
    warnings: teaching.warnings,
    unsure: teaching.unsure.map(predictionJson),
    copies: teaching.copies.map(({ copy, of }) => ({ photo: copy.name, of: of.name, label: of.label })),
    pairsNearlyTheSame: teaching.pairCount,
    nearlyTheSame: [...teaching.acrossLabels, ...teaching.pairs].map(pairJson),
    failures: teaching.failures.map(({ name, label, failure }) => ({ photo: name, label, error: failure.report() })),
    leftOut: Object.fromEntries(teaching.leftOut),
  };
}

function predictionJson({ photo, heldOut, score, best, bestScore }: Prediction): object {
  return { ...photoJson(photo), heldOut, score: rounded(score), best, bestScore: rounded(bestScore) };
}

function pairJson({ one, other, likeness }: NearDuplicatePair): object {
  return { photos: [photoJson(one), photoJson(other)], likeness: rounded(likeness) };
}

function photoJson({ name, label }: LabeledPhoto): { photo: string; label: string } {
  return { photo: name, label };
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
