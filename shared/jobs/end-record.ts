import { z } from 'zod';
import { jobEndSchema } from '../contract/job-end.ts';
import type { JobRun } from '../contract/job-run.ts';
import { endKey } from '../contract/object-keys.ts';
import { type ReadRecord, readRecord, replaceRecord } from './conditional-record.ts';
import type { JobTarget } from './job-target.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** Where an end is announced, in this order. */
export const ANNOUNCEMENT_TARGETS = ['log', 'eventBridge', 'topic', 'webhook'] as const;
/** One of {@link ANNOUNCEMENT_TARGETS}. */
export type AnnouncementTarget = (typeof ANNOUNCEMENT_TARGETS)[number];

const endRecordSchema = z.discriminatedUnion('state', [
  /** The run continues, or may continue: not looked at before `heldUntil`, in milliseconds since 1970. */
  z.object({ v: z.literal(1), state: z.literal('open'), generation: z.int().min(0), heldUntil: z.number() }),
  /** The run has ended; `end` is announced, and `sent` lists where that is done. */
  z.object({
    v: z.literal(1),
    state: z.literal('ended'),
    generation: z.int().min(0),
    end: jobEndSchema,
    sent: z.array(z.enum(ANNOUNCEMENT_TARGETS)),
    /** Whether it was announced everywhere. */
    announced: z.boolean(),
  }),
]);

/** The content of `jobs/<job>/run=<run>/end.json`. */
export type EndRecord = z.infer<typeof endRecordSchema>;
/** The record of a run that has ended. */
export type EndedRecord = Extract<EndRecord, { state: 'ended' }>;
/** The record of a run with its ETag. */
export type ReadEndRecord = ReadRecord<EndRecord>;

/** See {@link readRecord}. */
export function readEndRecord(bucket: Bucket, of: JobRun): Promise<ReadEndRecord> {
  return readRecord(bucket, endKey(of), endRecordSchema);
}

/** See {@link replaceRecord}. */
export function replaceEndRecord(
  bucket: Bucket,
  of: JobRun,
  record: EndRecord,
  etag: string | undefined,
): Promise<string | undefined> {
  return replaceRecord(bucket, endKey(of), record, etag);
}
