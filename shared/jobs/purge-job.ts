import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { JobRun } from '../contract/job-run.ts';
import { jobKey, jobPrefix, newestRunKey, type PartKind, partPrefix, runPartPrefix } from '../contract/object-keys.ts';
import { DeleteError, deleteObjects } from './delete-objects.ts';
import { markCancelled, newestRun } from './job-store.ts';
import type { JobTarget } from './job-target.ts';

/** A digest begins with one of these. */
const DIGITS = [...'0123456789abcdef'];
/** S3 removes 3,500 files per second below one prefix, and four requests of 1,000 take about a second. */
const SECTIONS_AT_ONCE = 4;

/**
 * Removes all files of a job and of all its runs. Its messages stay. Those of its run are acknowledged without work from
 * now on; what workers that are busy with them still write counts for nothing, and the next purge removes it.
 *
 * @throws {DeleteError} when S3 keeps a file; purging again goes on
 */
export async function purgeJob(target: JobTarget, job: string): Promise<{ files: number }> {
  const of = await newestRun(target, job);
  // Nobody is to be informed of an end whose files are about to be removed.
  if (of.run !== undefined) await markCancelled(target, of, 'labelqueue purge');
  let files = 0;
  for (const kind of ['results', 'failures'] as const) files += await removeManyParts(target, kind, of);
  // The job's own description goes last, so that an interrupted purge can still be found and repeated.
  for (const prefix of prefixesOf(job)) files += await removeAll(target, prefix, jobKey(job));
  return { files: files + (await removeAll(target, jobKey(job))) };
}

/** Whether there is anything that a purge would remove, if only what workers wrote after the last one. */
export async function hasFiles({ s3, resultsBucket: Bucket }: JobTarget, job: string): Promise<boolean> {
  for (const Prefix of prefixesOf(job)) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 }));
    if (Contents.length > 0) return true;
  }
  return false;
}

function prefixesOf(job: string): string[] {
  return [partPrefix('results', job), partPrefix('failures', job), newestRunKey(job), jobPrefix(job)];
}

/**
 * Removes the part files of a run, several sections of its digests at once, where there are more than a page of them:
 * what remains is removed in turn, with all other files.
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
 * How often the same page may come again: a worker may write its files once more, and a name that XML cannot carry is listed
 * under another, which nothing can remove.
 */
const MOST_REPEATED = 3;

/** Always the first page, until it is empty: whatever order a listing has, it leaves out nothing. */
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
    if (repeated > MOST_REPEATED) throw new DeleteError(`expected S3 to remove ${keys[0]}, it is still listed`);
    before = new Set(keys);
    await deleteObjects(s3, Bucket, keys);
    files += keys.length;
  }
}
