import { DeleteObjectsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { jobPrefix, partPrefix } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';

/** Removes all files of a job. Its messages stay: a job is cancelled before it is purged. */
export async function purgeJob({ s3, resultsBucket: Bucket }: JobTarget, job: string): Promise<{ files: number }> {
  let files = 0;
  // The job's own description goes last, so that an interrupted purge can still be found and repeated.
  for (const Prefix of [partPrefix('results', job), partPrefix('failures', job), jobPrefix(job)]) {
    // Deleting while listing would make the listing skip.
    const keys: { Key: string }[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
      for (const { Key } of Contents) if (Key !== undefined) keys.push({ Key });
    }
    for (let start = 0; start < keys.length; start += MAX_KEYS_A_REQUEST) {
      const Objects = keys.slice(start, start + MAX_KEYS_A_REQUEST);
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    }
    files += keys.length;
  }
  return { files };
}

/** S3's own limit on DeleteObjects. */
const MAX_KEYS_A_REQUEST = 1_000;
