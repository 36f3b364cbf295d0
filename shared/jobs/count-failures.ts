import type { JobRun } from '../contract/job-run.ts';
import { redrivePrefix } from '../contract/object-keys.ts';
import type { FailureLine } from '../contract/result-line.ts';
import type { JobTarget } from './job-target.ts';
import { listObjects } from './list-objects.ts';
import type { Part } from './list-parts.ts';
import { walkOf, walkParts } from './part-walk.ts';
import { partLines } from './read-outcomes.ts';

/** The failures of a run that are counted. */
export type FailuresOfCodes = JobRun & {
  /** Only failures with these codes; undefined for all. */
  codes: ReadonlySet<string> | undefined;
};

/**
 * How many failures of a run a redrive would send again, by the names of its part files; only failures that an interrupted
 * redrive has taken away are read. An image in two files counts twice.
 */
export async function countFailures(target: JobTarget, of: FailuresOfCodes): Promise<number> {
  let failures = await takenAway(target, of);
  await walkParts(walkOf(target, of, ['failures']), ({ part }) => {
    failures += chosenLines(part, of.codes);
  });
  return failures;
}

function chosenLines({ lines, codes }: Part, chosen: FailuresOfCodes['codes']): number {
  if (chosen === undefined) return lines;
  let sum = 0;
  for (const [code, count] of codes) if (chosen.has(code)) sum += count;
  return sum;
}

async function takenAway(target: JobTarget, of: JobRun): Promise<number> {
  let lines = 0;
  for await (const { Key = '' } of listObjects(target.s3, target.resultsBucket, redrivePrefix(of))) {
    for await (const _line of partLines<FailureLine>(target, Key)) lines++;
  }
  return lines;
}
