import { visibleLine } from '../../shared/contract/visible-text.ts';
import { FINAL, type JobStatus, jobStatus, type StatusOptions } from '../../shared/jobs/job-status.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { type Throttling, withPatience } from '../../shared/jobs/throttling.ts';
import { type JobSettings, jobSettingsFrom, SettingsError } from '../../shared/settings.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { printNote } from '../terminal/terminal.ts';

const SETTINGS = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'RESULTS_BUCKET'];

/** The queue and bucket that the environment names. */
export function targetFromEnvironment(): JobTarget {
  return patientTarget(createJobTarget(settingsFromEnvironment(), {}));
}

/** What the environment says of the queue and the bucket. */
export function settingsFromEnvironment(): JobSettings {
  const given = SETTINGS.filter((name) => process.env[name]);
  try {
    return jobSettingsFrom(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError) || given.length > 0) throw error;
    throw new SettingsError(`${error.message}\n${howToSet()}`, { cause: error });
  }
}

/** A command has no deadline: when S3 or SQS throttles, it continues more slowly and prints the rate. */
function patientTarget(target: JobTarget): JobTarget {
  withPatience(target.s3, { onThrottled: (throttling) => printNote(throttlingText('S3', throttling)) });
  withPatience(target.sqs, { onThrottled: (throttling) => printNote(throttlingText('SQS', throttling)) });
  return target;
}

function throttlingText(service: string, { code, message, answered, refused, seconds }: Throttling): string {
  if (seconds === 0) {
    return `${service} is throttling (${visibleLine(`${code}: ${message}`)}); continuing with pauses, Ctrl-C to stop\n`;
  }
  const pace = `${counted(answered, 'request')} answered and ${refused} refused in ${Math.round(seconds)} s`;
  return `${service} is throttling (${visibleLine(code)}): ${pace}; continuing with pauses\n`;
}

function howToSet(): string {
  return `start \`${commandName()} local\` in another terminal (this command finds it), or use --stack NAME for a stack in AWS`;
}

/** @throws {NoSuchJobError} when the job was never enqueued and has no outcomes */
export async function requireJobStatus(target: JobTarget, job: string, options?: StatusOptions): Promise<JobStatus> {
  const status = await jobStatus(target, job, new Date(), options);
  if (status === undefined) throw new NoSuchJobError(target, job);
  return status;
}

/** Whether each image that was enqueued has an outcome. */
export function isCompleted({ state }: JobStatus): boolean {
  return FINAL.has(state) && state !== 'cancelled';
}

/**
 * Whether the job only continues after a user's action. If it failed while enqueuing, some images may still be on the
 * queue.
 */
export function isFinished({ state }: JobStatus): boolean {
  return FINAL.has(state) || state === 'failed while enqueuing';
}
