import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { JobRun } from '../contract/job-run.ts';
import { CANCELLED_WORK_MS } from '../contract/limits.ts';
import {
  jobKey,
  jobPrefix,
  newestRunKey,
  type PartKind,
  partPrefix,
  runPartPrefix,
  uploadPrefix,
} from '../contract/object-keys.ts';
import { DeleteError, deleteObjects } from './delete-objects.ts';
import { cancelledAt, isCancelled, markCancelled, newestRun } from './job-store.ts';
import type { JobTarget } from './job-target.ts';

/** The first digits of digests. */
const DIGITS = [...'0123456789abcdef'];
/** S3 deletes 3,500 objects per second below a prefix, and four requests of 1,000 take about a second. */
const SECTIONS_AT_ONCE = 4;

/**
 * Deletes all files of a job and its runs. Its messages stay; those of its run are acknowledged without work from then on.
 * Lines that busy workers still write do not count, and the next purge deletes them.
 *
 * @throws {DeleteError} when S3 does not delete a file; another purge continues
 */
export async function purgeJob(target: JobTarget, job: string): Promise<{ files: number }> {
  const of = await newestRun(target, job);
  // The end of a run whose files are about to be deleted must not be announced.
  if (of.run !== undefined && !(await isCancelled(target, of))) await markCancelled(target, of, 'labelqueue purge');
  let files = 0;
  for (const kind of ['results', 'failures'] as const) files += await removeManyParts(target, kind, of);
  // `job.json` is deleted last, so that an interrupted purge can still be found and repeated.
  for (const prefix of prefixesOf(job)) files += await removeAll(target, prefix, jobKey(job));
  return { files: files + (await removeAll(target, jobKey(job))) };
}

/**
 * Milliseconds until no worker needs the uploaded images of a job whose newest run was cancelled: an image that is deleted while it
 * is in progress would fail, and its dead letter would remain. 0 when the job has none, or was not cancelled.
 *
 * @param now by the clock of this machine, which may differ from that of S3: at most `CANCELLED_WORK_MS` are returned
 */
export async function msUntilUploadsUnused(target: JobTarget, job: string, now: number): Promise<number> {
  const cancelled = await cancelledAt(target, await newestRun(target, job));
  if (cancelled === undefined || !(await isAnyBelow(target, uploadPrefix(job)))) return 0;
  return Math.min(CANCELLED_WORK_MS, Math.max(0, cancelled.getTime() + CANCELLED_WORK_MS - now));
}

/** Whether a purge would delete anything, such as what workers wrote after the last purge. */
export async function hasFiles(target: JobTarget, job: string): Promise<boolean> {
  for (const prefix of prefixesOf(job)) if (await isAnyBelow(target, prefix)) return true;
  return false;
}

async function isAnyBelow({ s3, resultsBucket: Bucket }: JobTarget, Prefix: string): Promise<boolean> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 }));
  return Contents.length > 0;
}

function prefixesOf(job: string): string[] {
  return [partPrefix('results', job), partPrefix('failures', job), newestRunKey(job), jobPrefix(job)];
}

/**
 * Deletes the part files of a run, several sections of its digests concurrently, if there is more than a page of them. The rest
 * is deleted sequentially, with all other files.
 */
async function removeManyParts({ s3, resultsBucket }: JobTarget, kind: PartKind, of: JobRun): Promise<number> {
  const Prefix = runPartPrefix(kind, of);
  const { IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket: resultsBucket, Prefix }));
  if (!IsTruncated) return 0;
  const removed = await pMap(DIGITS, (digit) => removeAll({ s3, resultsBucket }, `${Prefix}${digit}`), {
    concurrency: SECTIONS_AT_ONCE,
  });
  return removed.reduce((sum, files) => sum + files, 0);
}

/**
 * How often the same page may be listed again: a worker may write its files once more, and a key that XML cannot represent is
 * listed under another key, which cannot be deleted.
 */
const MAX_REPEATED = 3;

/** Always deletes the first page, until it is empty: so nothing is left out whatever the order of a listing is. */
async function removeAll(
  { s3, resultsBucket: Bucket }: Pick<JobTarget, 's3' | 'resultsBucket'>,
  Prefix: string,
  but?: string,
): Promise<number> {
  let [before, repeated] = [new Set<string>(), 0];
  for (let files = 0; ; ) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    const keys = Contents.map(({ Key = '' }) => Key).filter((key) => key !== but);
    if (keys.length === 0) return files;
    repeated = keys.every((key) => before.has(key)) ? repeated + 1 : 0;
    if (repeated > MAX_REPEATED) throw new DeleteError(`expected S3 to delete ${keys[0]}, it is still listed`);
    before = new Set(keys);
    await deleteObjects(s3, Bucket, keys);
    files += keys.length;
  }
}
