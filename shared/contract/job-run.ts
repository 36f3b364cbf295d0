import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Stands in S3 keys and in Hive partitions (`run=<run>`). 64 random bits: the runs of one name never meet. */
export const runSchema = z.string().regex(/^[0-9a-f]{16}$/, '16 lower-case hexadecimal digits');

/**
 * One run of a job. A job's name may be used again after a purge; its runs are different jobs under the same name.
 * `run` is missing in messages of other producers and of versions before there were runs: they are a run of their own.
 */
export type JobRun = { job: string; run?: string | undefined };

/** For a job that is enqueued under its name for the first time, or again. */
export function newRun(): string {
  return randomBytes(8).toString('hex');
}

/** A text per run, for maps: no job's name has a slash. */
export function runName({ job, run }: JobRun): string {
  return run === undefined ? job : `${job}/${run}`;
}

/** `run` where there is one, for objects whose absent fields are missing. */
export function runField(run: string | undefined): { run?: string } {
  return run === undefined ? {} : { run };
}
