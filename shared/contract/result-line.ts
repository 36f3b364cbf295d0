import type { Embedding } from './embedding.ts';
import type { ErrorReport } from './error-codes.ts';
import { runField } from './job-run.ts';
import type { ImageRef } from './message.ts';
import { wellFormedImage } from './well-formed.ts';

/** One of the model's best classes; `score` is its probability, 0 to 1. */
export type Label = { label: string; score: number; classId: number };

/** A label in the form that TensorFlow's own image classifier made known, e.g. `espresso (score = 0.95476)`. */
export function labelText({ label, score }: Label): string {
  return `${label} (score = ${score.toFixed(5)})`;
}

/** The model that classified an image. */
export type ModelId = { name: string; version: string };

/** Facts about the image as it was fetched; `width` and `height` in pixels, upright. */
export type ImageFacts = {
  width: number;
  height: number;
  format: string;
  bytes: number;
  sha256: string;
};

/** What every line says of its image: which it is, and when which attempt settled it. */
export type LineOrigin = { job: string; run?: string | undefined; image: ImageRef; attempt: number; at: Date };

/** A line of `results/`: an image that was classified. `at` is ISO 8601, UTC. */
export type ResultLine = {
  v: 1;
  job: string;
  run?: string;
  id: string;
  url: string;
  meta?: ImageRef['meta'];
  labels: Label[];
  model: ModelId;
  image: ImageFacts;
  attempt: number;
  at: string;
} & Partial<Embedding>;

/** A line of `failures/`: an image that no retry will mend. */
export type FailureLine = {
  v: 1;
  job: string;
  run?: string;
  id: string;
  url: string;
  meta?: ImageRef['meta'];
  error: ErrorReport;
  attempt: number;
  at: string;
};

/** What the stages found of an image: its labels, best first, and its embedding where that was asked for. */
export type Classification = { labels: Label[]; image: ImageFacts; embedding?: Embedding };

/** A result line without an embedding. */
export function resultLine(origin: LineOrigin, labels: Label[], model: ModelId, image: ImageFacts): ResultLine {
  return classifiedLine(origin, { labels, image }, model);
}

/** The same with all that was found. */
export function classifiedLine(
  origin: LineOrigin,
  { labels, image, embedding }: Classification,
  model: ModelId,
): ResultLine {
  return { ...head(origin), labels, model, image, ...embedding, ...tail(origin) };
}

/** A failure line. */
export function failureLine(origin: LineOrigin, error: ErrorReport): FailureLine {
  return { ...head(origin), error, ...tail(origin) };
}

function head({ job, run, image }: LineOrigin) {
  const { id, url, meta } = wellFormedImage(image);
  return { v: 1 as const, job, ...runField(run), id, url, ...(meta !== undefined && { meta }) };
}

function tail({ attempt, at }: LineOrigin) {
  return { attempt, at: at.toISOString() };
}
