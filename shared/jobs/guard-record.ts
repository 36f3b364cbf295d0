import { z } from 'zod';
import { guardKey } from '../contract/object-keys.ts';
import { type ReadRecord, runRecords } from './conditional-record.ts';

const guardRecordSchema = z.object({
  v: z.literal(1),
  /** No worker counts before this time; in milliseconds since 1970, like `countedAt`. */
  nextCountAt: z.number(),
  countedAt: z.number(),
  /** Images with an outcome, and how many of them failed; counted or estimated. */
  outcomes: z.number().min(0),
  failed: z.number().min(0),
  /** Between the last two counts. */
  imagesPerSecond: z.number().min(0),
  /** What the computing time of those outcomes costs, as `status` adds it up. */
  computingUsd: z.number().min(0),
});

/** The content of `jobs/<job>/guard.json`: the last count of a job that has a limit, and when the next one is due. */
export type GuardRecord = z.infer<typeof guardRecordSchema>;
/** The record of a job with its ETag. */
export type ReadGuardRecord = ReadRecord<GuardRecord>;

/** Reads and replaces the guard record of a run. */
export const { read: readGuardRecord, replace: replaceGuardRecord } = runRecords(guardKey, guardRecordSchema);
