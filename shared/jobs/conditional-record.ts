import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { z } from 'zod';
import { parseJson } from '../contract/exact-json.ts';
import type { JobRun } from '../contract/job-run.ts';
import type { JobTarget } from './job-target.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** A record with its ETag, for optimistic concurrency; undefined where there is no object. */
export type ReadRecord<Content> = { record: Content | undefined; etag: string | undefined };

/** Reads a JSON object that several processes write. Content that does not match the schema is ignored: the next write replaces it. */
export async function readRecord<Content>(
  { s3, resultsBucket }: Bucket,
  Key: string,
  schema: z.ZodType<Content>,
): Promise<ReadRecord<Content>> {
  try {
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key }));
    const text = (await Body?.transformToString()) ?? '';
    return { record: schema.safeParse(parseJson(text)).data, etag: ETag };
  } catch (error) {
    if (error instanceof NoSuchKey) return { record: undefined, etag: undefined };
    throw error;
  }
}

/**
 * Replaces a record if it is still the one that was read.
 *
 * @param etag that of the read; undefined when there was no object
 * @returns the new ETag; undefined when another writer came first
 */
export async function replaceRecord(
  { s3, resultsBucket }: Bucket,
  Key: string,
  record: object,
  etag: string | undefined,
): Promise<string | undefined> {
  const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
  const content = { Body: JSON.stringify(record), ContentType: 'application/json' };
  try {
    return (await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key, ...content, ...condition }))).ETag;
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/** 412 when the object was replaced, 409 while it is being replaced, 404 when it was removed. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  return [404, 409, 412].includes(error.$metadata.httpStatusCode ?? 0);
}

/** Reads and replaces the records of a kind, one per run. */
export type RunRecords<Content> = {
  /** See {@link readRecord}. */
  read(bucket: Bucket, of: JobRun): Promise<ReadRecord<Content>>;
  /** See {@link replaceRecord}. */
  replace(bucket: Bucket, of: JobRun, record: Content, etag: string | undefined): Promise<string | undefined>;
};

/** @param keyOf the key of a run's record */
export function runRecords<Content extends object>(
  keyOf: (of: JobRun) => string,
  schema: z.ZodType<Content>,
): RunRecords<Content> {
  return {
    read: (bucket, of) => readRecord(bucket, keyOf(of), schema),
    replace: (bucket, of, record, etag) => replaceRecord(bucket, keyOf(of), record, etag),
  };
}
