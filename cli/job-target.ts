import { jobSettingsFrom, SettingsError } from '../shared/contract/settings.ts';
import { type JobStatus, jobStatus, type StatusOptions } from '../shared/jobs/job-status.ts';
import { createJobTarget, type JobTarget } from '../shared/jobs/job-target.ts';
import { CommandError } from './expected-failures.ts';

const SETTINGS = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'RESULTS_BUCKET'];
const HOW_TO_SET =
  'is `labelqueue local` running? Paste the lines that it printed into this terminal, or use --stack NAME for a stack in AWS';

/** The queue and bucket that the environment names. */
export function targetFromEnvironment(): JobTarget {
  const given = SETTINGS.filter((name) => process.env[name]);
  try {
    return createJobTarget(jobSettingsFrom(process.env), {});
  } catch (error) {
    if (!(error instanceof SettingsError) || given.length > 0) throw error;
    throw new SettingsError(`${error.message}\n${HOW_TO_SET}`, { cause: error });
  }
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

const COMPLETED = new Set<JobStatus['state']>(['completed', 'completed with failures']);
const ENDED = new Set<JobStatus['state']>([...COMPLETED, 'cancelled', 'failed while enqueuing']);

/** Whether each image that was enqueued has an outcome. */
export function isCompleted({ state }: JobStatus): boolean {
  return COMPLETED.has(state);
}

export function hasEnded({ state }: JobStatus): boolean {
  return ENDED.has(state);
}
