import type { Readable } from 'node:stream';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { linesInPart, type PartKind, partPrefix } from '../contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../contract/result-line.ts';
import type { JobTarget } from './job-target.ts';
import { linesOf } from './lines.ts';

/**
 * How many lines a job has, read from the names of its part files: a request per 1,000 of them.
 * Redeliveries may count an image twice.
 */
export async function countLines(target: JobTarget, kind: PartKind, job: string): Promise<number> {
  let lines = 0;
  for await (const key of partKeys(target, kind, job)) lines += linesInPart(key) ?? 0;
  return lines;
}

/** A job's outcomes, each image once: a result before a failure, the latest of several. */
export type Outcomes = { results: Map<string, ResultLine>; failures: Map<string, FailureLine> };

/** Reads all lines of a job into memory: meant for jobs of thousands of images, not of millions. */
export async function readOutcomes(target: JobTarget, job: string): Promise<Outcomes> {
  const results = await latestLines<ResultLine>(target, 'results', job);
  const failures = await latestLines<FailureLine>(target, 'failures', job);
  for (const id of results.keys()) failures.delete(id);
  return { results, failures };
}

async function latestLines<Line extends { id: string; at: string }>(
  target: JobTarget,
  kind: PartKind,
  job: string,
): Promise<Map<string, Line>> {
  const lines = new Map<string, Line>();
  for await (const key of partKeys(target, kind, job)) {
    for await (const text of linesIn(target, key)) {
      const line = JSON.parse(text) as Line;
      const earlier = lines.get(line.id);
      if (earlier === undefined || earlier.at <= line.at) lines.set(line.id, line);
    }
  }
  return lines;
}

async function* partKeys({ s3, resultsBucket }: JobTarget, kind: PartKind, job: string): AsyncGenerator<string> {
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: resultsBucket, Prefix: partPrefix(kind, job) });
  for await (const { Contents = [] } of pages) {
    for (const { Key } of Contents) {
      if (Key !== undefined && linesInPart(Key) !== undefined) yield Key;
    }
  }
}

async function* linesIn({ s3, resultsBucket }: JobTarget, key: string): AsyncGenerator<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key: key }));
  yield* linesOf(Body as Readable);
}
