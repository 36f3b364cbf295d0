import { setTimeout as delay } from 'node:timers/promises';
import { type JobStatus, jobStatus } from '../../shared/jobs/job-status.ts';
import { cancelJob, readJob } from '../../shared/jobs/job-store.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { counted } from '../terminal/counted.ts';
import { print } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { isCompleted, targetFromEnvironment } from './job-target.ts';

/** How long the job is counted before it is cancelled anyway: enough for some hundred thousand part files. */
const LOOK_MS = 2_000;

/** Cancels the newest run of a job; its outcomes stay. */
export async function cancel(job: string): Promise<void> {
  const target = targetFromEnvironment();
  const description = await readJob(target, job);
  const look = jobStatus(target, job, new Date(), { signal: AbortSignal.timeout(LOOK_MS) });
  // A job that cannot be counted must still be cancellable, even while S3 throttles for minutes.
  const inTime = Promise.race([look.catch(() => undefined), delay(2 * LOOK_MS, undefined, { ref: false })]);
  const status = await (description === undefined ? look : inTime);
  if (description === undefined && status === undefined) throw new NoSuchJobError(target, job);
  if (status !== undefined && isCompleted(status)) {
    throw new CommandError(`the job ${job} is ${status.state}: nothing to cancel`);
  }
  await cancelJob(target, { job, run: description?.run }, 'labelqueue cancel');
  print(`job ${job}: cancelled${remains(status)}\n`);
}

function remains(status: JobStatus | undefined): string {
  if (status?.state === 'unknown') return ': its images are dropped from now on, until it is purged';
  if (status?.remaining === undefined) return '';
  return ` with ${status.countsAreEstimates ? 'about ' : ''}${counted(status.remaining, 'image')} remaining`;
}
