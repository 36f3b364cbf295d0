import { hash } from 'node:crypto';
import { z } from 'zod';
import { runSchema } from './job-run.ts';
import { jobNameSchema } from './message.ts';
import { ARCHITECTURES, WORKER_HOSTS } from './worker-time.ts';

/** How a run can end. `failed`: its producer did not send all of its images. */
export const END_STATES = ['completed', 'completed with failures', 'cancelled', 'failed'] as const;

const count = z.int().min(0);

/** The announcement of the end of a run: in EventBridge, SNS, a webhook and the log. */
export const jobEndSchema = z.object({
  v: z.literal(1),
  /** The same every time this end is announced, for deduplication. */
  id: z.string(),
  job: jobNameSchema,
  run: runSchema,
  /** 0, plus 1 each time the run continues after its end: by a redrive, or with the rest of its images. */
  generation: count,
  state: z.enum(END_STATES),
  /** Enqueued images, with and without an outcome. */
  images: count,
  classified: count,
  failed: count,
  failedByCode: z.record(z.string(), count),
  withoutOutcome: count,
  /** At list prices, for the time that its workers measured; the same figure as in `status`. */
  costUsd: z.number().min(0),
  computing: z.object({
    workers: z.array(
      z.object({
        /** Ends that earlier versions recorded have none. */
        host: z.enum(WORKER_HOSTS).default('lambda'),
        architecture: z.enum(ARCHITECTURES),
        /** 0 outside Lambda. */
        memoryMb: z.number(),
        instanceFamily: z.string().optional(),
        seconds: z.number(),
      }),
    ),
    measuredShare: z.number().min(0).max(1),
  }),
  startedAt: z.iso.datetime(),
  /** When its last line was written, in whole seconds; for a run without lines, when the end was found. */
  endedAt: z.iso.datetime(),
  bucket: z.string(),
  /** Prefixes of its part files. */
  results: z.string(),
  failures: z.string(),
});

/** A validated announcement. */
export type JobEnd = z.infer<typeof jobEndSchema>;
/** The state in which a run ended. */
export type EndState = JobEnd['state'];

/** The id of an end; depends on these three only. */
export function jobEndId({ job, run, generation }: Pick<JobEnd, 'job' | 'run' | 'generation'>): string {
  return `jobend_${hash('sha256', JSON.stringify([job, run, generation]), 'hex').slice(0, 32)}`;
}

/** The `source` of the event in EventBridge. */
export const EVENT_SOURCE = 'labelqueue';
/** The `detail-type` of the event. */
export const EVENT_DETAIL_TYPE = 'Job ended';
/** The `type` of a webhook and of an SNS message. */
export const JOB_ENDED = 'job.ended';
