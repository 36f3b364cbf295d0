import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { jobEndSchema } from '../contract/job-end.ts';
import type { JobRun } from '../contract/job-run.ts';
import { endKey } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** Where an end is announced, in this order. */
export const ANNOUNCEMENT_TARGETS = ['log', 'eventBridge', 'topic', 'webhook'] as const;
export type AnnouncementTarget = (typeof ANNOUNCEMENT_TARGETS)[number];

const endRecordSchema = z.discriminatedUnion('state', [
  /** It goes on, or may do so: it is not looked at before `heldUntil`, in milliseconds since 1970. */
  z.object({ v: z.literal(1), state: z.literal('open'), generation: z.int().min(0), heldUntil: z.number() }),
  /** It has ended, and this is what is announced of it; `sent` says where that was done. */
  z.object({
    v: z.literal(1),
    state: z.literal('ended'),
    generation: z.int().min(0),
    end: jobEndSchema,
    sent: z.array(z.enum(ANNOUNCEMENT_TARGETS)),
    /** Nothing remains to be sent. */
    announced: z.boolean(),
  }),
]);

/** The content of `jobs/<job>/run=<run>/end.json`. */
export type EndRecord = z.infer<typeof endRecordSchema>;
export type EndedRecord = Extract<EndRecord, { state: 'ended' }>;
/** With what a writer must name, so that of several writers one wins; undefined where there is no object. */
export type ReadEndRecord = { record: EndRecord | undefined; etag: string | undefined };

export async function readEndRecord({ s3, resultsBucket }: Bucket, of: JobRun): Promise<ReadEndRecord> {
  try {
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key: endKey(of) }));
    return { record: parseRecord((await Body?.transformToString()) ?? ''), etag: ETag };
  } catch (error) {
    if (error instanceof NoSuchKey) return { record: undefined, etag: undefined };
    throw error;
  }
}

/** Undefined for what is no record: the next look replaces it. */
function parseRecord(text: string): EndRecord | undefined {
  try {
    return endRecordSchema.safeParse(JSON.parse(text)).data;
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
export async function replaceEndRecord(
  { s3, resultsBucket }: Bucket,
  of: JobRun,
  record: EndRecord,
  etag: string | undefined,
): Promise<string | undefined> {
  const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
  const Body = JSON.stringify(record);
  const content = { Body, ContentType: 'application/json' };
  try {
    return (await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key: endKey(of), ...content, ...condition })))
      .ETag;
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
