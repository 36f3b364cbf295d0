import { z } from 'zod';
import { jobEndSchema } from '../contract/job-end.ts';
import { endKey } from '../contract/object-keys.ts';
import { type ReadRecord, runRecords } from './conditional-record.ts';

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

/** Reads and replaces the end record of a run. */
export const { read: readEndRecord, replace: replaceEndRecord } = runRecords(endKey, endRecordSchema);
