import { jobSettingsFrom } from '../shared/contract/settings.ts';
import { type JobStatus, jobStatus, type StatusOptions } from '../shared/jobs/job-status.ts';
import { createJobTarget, type JobTarget } from '../shared/jobs/job-target.ts';
import { CommandError } from './expected-failures.ts';

/** The queue and bucket that the environment names. */
export function targetFromEnvironment(): JobTarget {
  return createJobTarget(jobSettingsFrom(process.env), {});
}

/** @throws {CommandError} when the job was never enqueued */
export async function knownJobStatus(target: JobTarget, job: string, options?: StatusOptions): Promise<JobStatus> {
  const status = await jobStatus(target, job, new Date(), options);
  if (status === undefined) throw noSuchJob(target, job);
  return status;
}

export function noSuchJob({ resultsBucket }: JobTarget, job: string): CommandError {
  return new CommandError(`no job ${job} in the bucket ${resultsBucket}: see labelqueue status`);
}

const ENDED = new Set<JobStatus['state']>([
  'completed',
  'completed with failures',
  'cancelled',
  'failed while enqueuing',
]);

export function hasEnded({ state }: JobStatus): boolean {
  return ENDED.has(state);
}
