import { HeadObjectCommand, NoSuchKey, NotFound, PutObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { type JobDescription, jobDescriptionSchema } from '../contract/job-description.ts';
import type { JobRun } from '../contract/job-run.ts';
import { CANCELLED_PREFIX, cancelledKey, jobKey, newestRunKey } from '../contract/object-keys.ts';
import { UserError } from '../contract/user-error.ts';
import { replaceRecord } from './conditional-record.ts';
import { requestEndLookIfAnnounced } from './end-look.ts';
import type { JobTarget } from './job-target.ts';
import { listObjects } from './list-objects.ts';
import { readObject } from './read-object.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** A `job.json` that is not a job description: it was edited, or the endpoint is not S3. */
export class UnreadableJobError extends UserError {
  override readonly name = 'UnreadableJobError';
}

/**
 * Undefined for a job that was not enqueued with the command: its messages come from other producers.
 *
 * @throws {UnreadableJobError}
 */
export async function readJob({ s3, resultsBucket }: Bucket, job: string): Promise<JobDescription | undefined> {
  try {
    return describedIn(await readObject(s3, resultsBucket, jobKey(job)), `s3://${resultsBucket}/${jobKey(job)}`);
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

function describedIn(content: Buffer, url: string): JobDescription {
  try {
    return jobDescriptionSchema.parse(JSON.parse(content.toString()));
  } catch (error) {
    const start = JSON.stringify(content.toString('utf8', 0, 60));
    throw new UnreadableJobError(
      `expected the description of a job in ${url}, got ${start}: was it edited, and is the endpoint S3?`,
      { cause: error },
    );
  }
}

/** Writes `job.json`, in place of the one that exists. */
export async function writeJob({ s3, resultsBucket }: Bucket, description: JobDescription): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: resultsBucket,
      Key: jobKey(description.job),
      Body: JSON.stringify(description),
      ContentType: 'application/json',
    }),
  );
}

/**
 * Writes the description of a new job.
 *
 * @returns false when the job has a description already, which stays unchanged
 */
export async function createJob(bucket: Bucket, description: JobDescription): Promise<boolean> {
  const { job, run } = description;
  if ((await replaceRecord(bucket, jobKey(job), description, undefined)) !== undefined) return true;
  // The response to an earlier try may have been lost.
  return run !== undefined && (await readJob(bucket, job))?.run === run;
}

/** The newest run of a job, the one in `job.json`. */
export async function newestRun(bucket: Bucket, job: string): Promise<JobRun> {
  return { job, run: (await readJob(bucket, job))?.run };
}

/** Writes which run is the newest, for queries. A job without runs needs no such object: its lines have no run either. */
export async function writeNewestRun({ s3, resultsBucket }: Bucket, { job, run }: JobRun): Promise<void> {
  if (run === undefined) return;
  await s3.send(
    new PutObjectCommand({
      Bucket: resultsBucket,
      Key: newestRunKey(job),
      Body: `${JSON.stringify({ job, run })}\n`,
      ContentType: 'application/json',
    }),
  );
}

/**
 * The sorted names of all jobs that have files; some may only have what a worker wrote after a purge.
 */
export async function listJobs(bucket: Bucket): Promise<string[]> {
  const folders = await Promise.all(
    ['jobs/', 'results/job=', 'failures/job='].map((prefix) => foldersAt(bucket, prefix)),
  );
  return [...new Set(folders.flat())].sort();
}

/** The distinct parts of keys between the prefix and the next slash. */
async function foldersAt({ s3, resultsBucket: Bucket }: Bucket, Prefix: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const { CommonPrefixes = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket, Prefix, Delimiter: '/' },
  )) {
    for (const { Prefix: folder = '' } of CommonPrefixes) folders.push(folder.slice(Prefix.length, -1));
  }
  return folders;
}

/** The bucket, and the queue of looks where ends of runs are announced. */
export type CancelTarget = Bucket & Partial<Pick<JobTarget, 'sqs' | 'jobEndQueueUrl'>>;

/**
 * Cancels a run, and requests a look at its end, since nothing else may happen to the run afterwards.
 *
 * @param reason for people: who or what cancelled it, and why
 */
export async function cancelJob(
  { sqs, jobEndQueueUrl, ...bucket }: CancelTarget,
  of: JobRun,
  reason: string,
): Promise<void> {
  await markCancelled(bucket, of, reason);
  if (sqs !== undefined) await requestEndLookIfAnnounced({ sqs, jobEndQueueUrl }, of);
}

/** Writes the mark of a cancelled run. Workers that see it acknowledge the rest of the run without work. */
export async function markCancelled({ s3, resultsBucket }: Bucket, of: JobRun, reason: string): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: resultsBucket,
      Key: cancelledKey(of),
      Body: JSON.stringify({ reason, at: new Date().toISOString() }),
      ContentType: 'application/json',
    }),
  );
}

/** Whether a run was cancelled. */
export async function isCancelled(bucket: Bucket, of: JobRun): Promise<boolean> {
  return (await cancelledAt(bucket, of)) !== undefined;
}

/** When a run was cancelled, by the clock of S3 in whole seconds; undefined when it was not. */
export async function cancelledAt({ s3, resultsBucket }: Bucket, of: JobRun): Promise<Date | undefined> {
  try {
    const command = new HeadObjectCommand({ Bucket: resultsBucket, Key: cancelledKey(of) });
    return (await s3.send(command)).LastModified ?? new Date(0);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** Whether runs are cancelled, from a single listing of all marks. */
export async function cancellations(bucket: Bucket): Promise<(of: JobRun) => Promise<boolean>> {
  const marks = new Set<string>();
  for await (const { Key = '' } of listObjects(bucket.s3, bucket.resultsBucket, CANCELLED_PREFIX)) marks.add(Key);
  return async (of) => (of.run === undefined ? isCancelled(bucket, of) : marks.has(cancelledKey(of)));
}
