import { PartWriter } from '../functions/classify/part-writer.ts';
import { type ErrorCode, ImageFailure } from '../shared/contract/error-codes.ts';
import type { JobDescription } from '../shared/contract/job-description.ts';
import type { ImageRef } from '../shared/contract/message.ts';
import type { PartKind } from '../shared/contract/object-keys.ts';
import {
  type FailureLine,
  failureLine,
  type Label,
  type ResultLine,
  resultLine,
} from '../shared/contract/result-line.ts';
import { writeJob } from '../shared/jobs/job-store.ts';
import type { JobTarget } from '../shared/jobs/job-target.ts';
import { recordOrder } from '../shared/jobs/source-order.ts';

const MODEL = { name: 'net', version: '1' };
const START = Date.UTC(2026, 10, 24, 10);

export type LineOptions = {
  meta?: ImageRef['meta'];
  url?: string;
  /** Seconds after the start of the job. */
  second?: number;
  attempt?: number;
  sha256?: string;
};

/** A result line of the job `cats`, best label first. */
export function result(
  id: string,
  labels: Record<string, number> = { cat: 0.9 },
  options: LineOptions = {},
): ResultLine {
  const facts = { width: 640, height: 480, format: 'jpeg', bytes: 1_000, sha256: options.sha256 ?? 'ab'.repeat(32) };
  return resultLine(originOf(id, options), labelsOf(labels), MODEL, facts);
}

export function failure(id: string, code: ErrorCode = 'not_found', options: LineOptions = {}): FailureLine {
  return failureLine(originOf(id, options), new ImageFailure(code, 'expected status 200, got 404').report());
}

function originOf(id: string, { meta, url, second = 0, attempt = 1 }: LineOptions) {
  const image = {
    id,
    url: url ?? `https://host.example/${encodeURIComponent(id.toWellFormed())}.jpg`,
    ...(meta && { meta }),
  };
  return { job: 'cats', image, attempt, at: new Date(START + second * 1_000) };
}

function labelsOf(scores: Record<string, number>): Label[] {
  return Object.entries(scores).map(([label, score], classId) => ({ label, score, classId }));
}

/** Writes part files as the worker does, one a call for 32 lines and more. */
export async function writeParts(
  target: JobTarget,
  kind: PartKind,
  lines: (ResultLine | FailureLine)[],
): Promise<void> {
  const writer = new PartWriter(target.s3, target.resultsBucket);
  const written = writer.write(kind, { job: 'cats' }, lines);
  writer.flush();
  await written;
}

/** Writes down what `labelqueue enqueue` does of the job `cats`: how many images, and their order. */
export async function describeJob(
  target: JobTarget,
  ids: readonly string[],
  more: Partial<JobDescription> = {},
): Promise<void> {
  const images = ids.length;
  const at = new Date(START).toISOString();
  const sent = { source: 'cats.csv', sourceDigest: '', perMessage: 100, images, sent: images, messages: 1 };
  await writeJob(target, { v: 1, job: 'cats', state: 'enqueued', ...sent, startedAt: at, updatedAt: at, ...more });
  for await (const _ of recordOrder(target, { job: 'cats' }, imagesOf(ids)));
}

async function* imagesOf(ids: readonly string[]): AsyncGenerator<ImageRef> {
  for (const id of ids) yield { id, url: 'https://host.example/' };
}
