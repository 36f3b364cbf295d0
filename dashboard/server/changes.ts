import { z } from 'zod';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { FINAL, type JobStatus, jobStatus } from '../../shared/jobs/job-status.ts';
import { cancelJob, isCancelled, newestRun, readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { redrive } from '../../shared/jobs/redrive.ts';
import type { Changed } from '../contract/changes.ts';
import { ApiFailure } from './api-failure.ts';
import { counted } from './counted.ts';

const confirm = z.string().max(200);
const word = z.string().min(1).max(400);

export const deadLetterFilterSchema = z.strictObject({
  job: word.optional(),
  code: word.optional(),
  host: word.optional(),
  text: word.optional(),
});
export const deadLetterChangeSchema = z.strictObject({ filter: deadLetterFilterSchema, confirm });
export const jobChangeSchema = z.strictObject({ confirm });
export const jobRedriveSchema = z.strictObject({ confirm, codes: z.array(word).max(100).optional() });

/** How long a job is counted before it is cancelled anyway. */
const COUNT_MS = 2_000;

/** Cancels the newest run of a job, as `labelqueue cancel` does. */
export async function cancelRun(target: JobTarget, job: string): Promise<Changed> {
  const description = await readJob(target, job);
  const status = await jobStatus(target, job, new Date(), { signal: AbortSignal.timeout(COUNT_MS) });
  if (status === undefined) throw noSuchJob(job);
  if (FINAL.has(status.state)) throw new ApiFailure('not-possible', `the job is ${status.state}: nothing to cancel`);
  await cancelJob(target, { job, run: description?.run }, 'labelqueue dashboard');
  return { images: 0, messages: 0, text: `Cancelled${remains(status)}.` };
}

function remains({ remaining, countsAreEstimates }: JobStatus): string {
  if (remaining === undefined) return ': its images are dropped from now on, until it is purged';
  return ` with ${countsAreEstimates ? 'about ' : ''}${counted(remaining, 'image')} remaining`;
}

/** Sends the failed images of a job again, as `labelqueue redrive` does. */
export async function redriveFailures(target: JobTarget, job: string, codes?: readonly string[]): Promise<Changed> {
  const of = await newestRun(target, job);
  if (await isCancelled(target, of)) {
    throw new ApiFailure('not-possible', 'the job is cancelled: its images would be dropped');
  }
  const chosen = codes === undefined ? undefined : new Set(codes);
  const options = { ...of, codes: chosen, perMessage: DEFAULT_IMAGES_PER_MESSAGE, dryRun: false };
  const { images, deadLetters, notLookedAt } = await redrive(target, options, new Date());
  if (images + deadLetters === 0) throw new ApiFailure('not-possible', 'the job has no failed images to send again');
  const left =
    notLookedAt === 0
      ? ''
      : ` About ${counted(notLookedAt, 'dead letter')} could not be read: other readers hold them.`;
  const text = `${counted(images, 'image')} sent again, ${counted(deadLetters, 'dead letter')} removed.${left}`;
  return { images, messages: deadLetters, text };
}

export function noSuchJob(job: string): ApiFailure {
  return new ApiFailure('no-such-job', `no job ${job}: the overview lists those there are`);
}

/** @throws {ApiFailure} not-confirmed, unless the user typed the expected text */
export function checkConfirmed(given: string, expected: string): void {
  if (given === expected) return;
  throw new ApiFailure('not-confirmed', `expected ${JSON.stringify(expected)} to be typed`, expected);
}
