import { HeadObjectCommand, NotFound } from '@aws-sdk/client-s3';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import type { JobRun } from '../../shared/contract/job-run.ts';
import { STRANDED_AFTER_MS, STRANDED_BESIDE_OTHERS_AFTER_MS } from '../../shared/contract/limits.ts';
import { redrivenKey, redrivePrefix } from '../../shared/contract/object-keys.ts';
import { isCancelled, readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { listObjects } from '../../shared/jobs/list-objects.ts';
import type { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { PartTally } from '../../shared/jobs/part-tally.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** What is known while the runs of a sweep are checked. */
export type StrandedOptions = {
  now: Date;
  /** Whether no message of any job is waiting, in flight or delayed. */
  isQueueEmpty: boolean;
  counter: OutcomeCounter;
  signal: AbortSignal;
};

/** How long a run must have stalled before images of its moved messages count as failed, in milliseconds. */
export function strandedAfterMs({ isQueueEmpty }: Pick<StrandedOptions, 'isQueueEmpty'>): number {
  return isQueueEmpty ? STRANDED_AFTER_MS : STRANDED_BESIDE_OTHERS_AFTER_MS;
}

/**
 * Whether, as far as can be known, only the DLQ holds images of a run without an outcome: it is the newest run of its job, has
 * not ended, and has stalled for so long that every worker that received one of its messages has settled or lost it.
 */
export async function isStranded(bucket: Bucket, of: JobRun, options: StrandedOptions): Promise<boolean> {
  const description = await readJob(bucket, of.job);
  if (description === undefined || description.run !== of.run) return false;
  if (!(await hasStalled(bucket, of, Date.parse(description.updatedAt), options))) return false;
  if (await isCancelled(bucket, of)) return false;
  return lacksOutcomesForLong(bucket, description, options);
}

/** Whether no redrive of a run is in progress, and neither the last one nor the event `at` was recent. */
export async function hasStalled(
  bucket: Bucket,
  of: JobRun,
  at: number,
  options: Pick<StrandedOptions, 'now' | 'isQueueEmpty'>,
): Promise<boolean> {
  const since = options.now.getTime() - strandedAfterMs(options);
  if (at > since) return false;
  if (((await redrivenAt(bucket, of)) ?? 0) > since) return false;
  // Failures that an interrupted redrive removed are not in the DLQ: the next redrive sends them.
  for await (const _taken of listObjects(bucket.s3, bucket.resultsBucket, redrivePrefix(of))) return false;
  return true;
}

async function redrivenAt({ s3, resultsBucket: Bucket }: Bucket, of: JobRun): Promise<number | undefined> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket, Key: redrivenKey(of) }))).LastModified?.getTime();
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

async function lacksOutcomesForLong(
  bucket: Bucket,
  description: JobDescription,
  { now, counter, signal, ...options }: StrandedOptions,
): Promise<boolean> {
  const tally = await PartTally.of(bucket, description, signal);
  if (!tally.isWhole) return false;
  const lastMs = tally.pace.lastAt?.getTime() ?? 0;
  if (lastMs > now.getTime() - strandedAfterMs(options)) return false;
  const { exact, classified, failed } = await counter.count(description, tally, signal);
  // An interrupted count is not exact either, and does not prove that outcomes are missing.
  if (signal.aborted) return false;
  return !(exact && classified + failed >= description.sent);
}
