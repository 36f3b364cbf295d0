import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { jobPrefix, partPrefix } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';

/** S3 did not remove a file. */
export class PurgeError extends Error {
  override readonly name = 'PurgeError';
}

/**
 * Removes all files of a job. Its messages stay: a job is cancelled before it is purged.
 *
 * @throws {PurgeError} when S3 keeps a file; purging again goes on
 */
export async function purgeJob(target: JobTarget, job: string): Promise<{ files: number }> {
  let files = 0;
  // The job's own description goes last, so that an interrupted purge can still be found and repeated.
  for (const prefix of [partPrefix('results', job), partPrefix('failures', job), jobPrefix(job)]) {
    files += await removeAll(target, prefix);
  }
  return { files };
}

/** Always the first page, until it is empty: whatever order a listing has, it leaves out nothing. */
async function removeAll({ s3, resultsBucket: Bucket }: JobTarget, Prefix: string): Promise<number> {
  for (let files = 0; ; ) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    if (Contents.length === 0) return files;
    const Objects = Contents.map(({ Key }) => ({ Key }));
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
