import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { parseExactJson } from '../contract/exact-json.ts';
import type { JobRun } from '../contract/job-run.ts';
import type { PartKind } from '../contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../contract/result-line.ts';
import { newestRun } from './job-store.ts';
import type { JobTarget } from './job-target.ts';
import { linesOf } from './lines.ts';
import { listParts } from './list-parts.ts';

/** The outcomes of a job, one per image: a result before a failure, and the latest of several. */
export type Outcomes = { results: Map<string, ResultLine>; failures: Map<string, FailureLine> };

/** Reads all lines of a job's newest run into memory: for jobs of thousands of images, not millions. */
export async function readOutcomes(target: JobTarget, job: string): Promise<Outcomes> {
  const run = await newestRun(target, job);
  const results = await latestLines<ResultLine>(target, 'results', run);
  const failures = await latestLines<FailureLine>(target, 'failures', run);
  for (const id of results.keys()) failures.delete(id);
  return { results, failures };
}

async function latestLines<Line extends { id: string; at: string }>(
  target: JobTarget,
  kind: PartKind,
  of: JobRun,
): Promise<Map<string, Line>> {
  const lines = new Map<string, Line>();
  for (const { key } of await listParts(target, kind, of)) {
    for await (const line of partLines<Line>(target, key)) {
      const earlier = lines.get(line.id);
      if (earlier === undefined || earlier.at <= line.at) lines.set(line.id, line);
    }
  }
  return lines;
}

/** The lines of one part file. */
export async function* partLines<Line>(
  { s3, resultsBucket }: Pick<JobTarget, 's3' | 'resultsBucket'>,
  key: string,
): AsyncGenerator<Line> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key: key }));
  for await (const text of linesOf(Body as Readable)) yield parseExactJson(text) as Line;
}
