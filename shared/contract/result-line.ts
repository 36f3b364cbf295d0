import type { Embedding } from './embedding.ts';
import type { ErrorReport } from './error-codes.ts';
import { runField } from './job-run.ts';
import type { ImageRef } from './message.ts';
import { wellFormedImage } from './well-formed.ts';

/** A class of the model; `score` is its probability, 0 to 1. */
export type Label = { label: string; score: number; classId: number };

/** A label in the form of TensorFlow's image classification example, e.g. `espresso (score = 0.95476)`. */
export function labelText({ label, score }: Label): string {
  return `${label} (score = ${score.toFixed(5)})`;
}

/** The model that classified an image. */
export type ModelId = { name: string; version: string };

/** Facts about the fetched image; `width` and `height` in pixels, after applying its orientation. */
export type ImageFacts = {
  width: number;
  height: number;
  format: string;
  bytes: number;
  sha256: string;
};

/** The fields of every line: the image, and its settling attempt and time. */
export type LineOrigin = { job: string; run?: string | undefined; image: ImageRef; attempt: number; at: Date };

/** The fields of every line, as they are written; `at` is ISO 8601, UTC. */
type LineFields = { v: 1; job: string; run?: string; attempt: number; at: string } & ImageRef;

/** A line of `results/`: a classified image. */
export type ResultLine = LineFields & { labels: Label[]; model: ModelId; image: ImageFacts } & Partial<Embedding>;

/** A line of `failures/`: an image that failed permanently. */
export type FailureLine = LineFields & { error: ErrorReport };

/** The classification of an image: its labels, best first, and its embedding where that was requested. */
export type Classification = { labels: Label[]; image: ImageFacts; embedding?: Embedding };

/** A result line without an embedding. */
export function resultLine(origin: LineOrigin, labels: Label[], model: ModelId, image: ImageFacts): ResultLine {
  return classifiedLine(origin, { labels, image }, model);
}

/** A result line of a whole classification. */
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
