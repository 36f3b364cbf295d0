import { jobSettingsFrom, SettingsError } from '../shared/contract/settings.ts';
import { FINAL, type JobStatus, jobStatus, type StatusOptions } from '../shared/jobs/job-status.ts';
import { createJobTarget, type JobTarget } from '../shared/jobs/job-target.ts';
import { NoSuchJobError } from '../shared/jobs/outcomes/outcome-errors.ts';
import { commandName } from './command-name.ts';

const SETTINGS = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'RESULTS_BUCKET'];

/** The queue and bucket that the environment names. */
export function targetFromEnvironment(): JobTarget {
  const given = SETTINGS.filter((name) => process.env[name]);
  try {
    return createJobTarget(jobSettingsFrom(process.env), {});
  } catch (error) {
    if (!(error instanceof SettingsError) || given.length > 0) throw error;
    throw new SettingsError(`${error.message}\n${howToSet()}`, { cause: error });
  }
}

function howToSet(): string {
  return `start \`${commandName()} local\` in another terminal; this command will find it; or use --stack NAME for a stack in AWS`;
}

/** @throws {NoSuchJobError} when the job was never enqueued and has no outcomes */
export async function knownJobStatus(target: JobTarget, job: string, options?: StatusOptions): Promise<JobStatus> {
  const status = await jobStatus(target, job, new Date(), options);
  if (status === undefined) throw new NoSuchJobError(target, job);
  return status;
}

/** Whether each image that was enqueued has an outcome. */
export function isCompleted({ state }: JobStatus): boolean {
  return FINAL.has(state) && state !== 'cancelled';
}

/** Whether it needs a person to go on; of one that failed while enqueuing, images may still be on the queue. */
export function hasEnded({ state }: JobStatus): boolean {
  return FINAL.has(state) || state === 'failed while enqueuing';
}
