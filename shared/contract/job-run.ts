import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Part of S3 keys and of Hive partitions (`run=<run>`). 64 random bits: runs do not collide. */
export const runSchema = z.string().regex(/^[0-9a-f]{16}$/, '16 lower-case hexadecimal digits');

/**
 * One run of a job. A job's name may be used again after a purge; its runs are different jobs with the same name. `run` is
 * absent in messages of other producers and of versions without runs: together these count as a run.
 */
export type JobRun = { job: string; run?: string | undefined };

/** A new random run, for a job that is enqueued for the first time or again. */
export function newRun(): string {
  return randomBytes(8).toString('hex');
}

/** A unique text per run, for maps: job names have no slash. */
export function runName({ job, run }: JobRun): string {
  return run === undefined ? job : `${job}/${run}`;
}

/** An object with `run` if it is defined, to be spread into objects without undefined fields. */
export function runField(run: string | undefined): { run?: string } {
  return run === undefined ? {} : { run };
}
