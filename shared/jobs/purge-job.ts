import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { jobKey, jobPrefix, newestRunKey, partPrefix } from '../contract/object-keys.ts';
import { UserError } from '../contract/user-error.ts';
import { cancelJob, newestRun } from './job-store.ts';
import type { JobTarget } from './job-target.ts';

/** S3 did not remove a file. */
export class PurgeError extends UserError {
  override readonly name = 'PurgeError';
}

/**
 * Removes all files of a job and of all its runs. Its messages stay. Those of its run are acknowledged without work from
 * now on; what workers that are busy with them still write counts for nothing, and the next purge removes it.
 *
 * @throws {PurgeError} when S3 keeps a file; purging again goes on
 */
export async function purgeJob(target: JobTarget, job: string): Promise<{ files: number }> {
  const of = await newestRun(target, job);
  if (of.run !== undefined) await cancelJob(target, of, 'labelqueue purge');
  let files = 0;
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

/** Always the first page, until it is empty: whatever order a listing has, it leaves out nothing. */
async function removeAll({ s3, resultsBucket: Bucket }: JobTarget, Prefix: string, but?: string): Promise<number> {
  for (let files = 0; ; ) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    const Objects = Contents.filter(({ Key }) => Key !== but).map(({ Key }) => ({ Key }));
    if (Objects.length === 0) return files;
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [first] = Errors;
    if (first !== undefined) {
      throw new PurgeError(
        `expected S3 to remove ${Objects.length} files, ${Errors.length} are still there: ${first.Key}: ${first.Code} ${first.Message ?? ''}`,
      );
    }
    files += Objects.length;
  }
}
