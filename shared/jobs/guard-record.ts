import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { JobRun } from '../contract/job-run.ts';
import { guardKey } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

const guardRecordSchema = z.object({
  v: z.literal(1),
  /** Nobody counts before; milliseconds since 1970, as the others. */
  nextCountAt: z.number(),
  countedAt: z.number(),
  /** Images with an outcome, and how many of them failed, as they were counted or estimated. */
  outcomes: z.number().min(0),
  failed: z.number().min(0),
  /** Between the last two counts. */
  imagesPerSecond: z.number().min(0),
  /** What the computing time of those outcomes costs, as `status` adds it up. */
  computingUsd: z.number().min(0),
});

/** The content of `jobs/<job>/guard.json`: the last count of a job that has a limit, and when the next one is due. */
export type GuardRecord = z.infer<typeof guardRecordSchema>;
/** With what a writer must name, so that of several writers one wins; undefined where there is no object. */
export type ReadGuardRecord = { record: GuardRecord | undefined; etag: string | undefined };

export async function readGuardRecord({ s3, resultsBucket }: Bucket, of: JobRun): Promise<ReadGuardRecord> {
  try {
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key: guardKey(of) }));
    return { record: parseRecord((await Body?.transformToString()) ?? ''), etag: ETag };
  } catch (error) {
    if (error instanceof NoSuchKey) return { record: undefined, etag: undefined };
    throw error;
  }
}

/** Undefined for what is no record: the next count replaces it. */
function parseRecord(text: string): GuardRecord | undefined {
  try {
    return guardRecordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Replaces the record that was read.
 *
 * @param etag of what was read; undefined when there was nothing
 * @returns the new one; undefined when another writer came first
 */
export async function replaceGuardRecord(
  { s3, resultsBucket }: Bucket,
  of: JobRun,
  record: GuardRecord,
  etag: string | undefined,
): Promise<string | undefined> {
  const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
  const Body = JSON.stringify(record);
  const command = new PutObjectCommand({ Bucket: resultsBucket, Key: guardKey(of), Body, ...condition });
  try {
    return (await s3.send(command)).ETag;
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

/** 412 when it was replaced, 409 while it is, 404 when it was removed. */
function isLost(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  return [404, 409, 412].includes(error.$metadata.httpStatusCode ?? 0);
}
