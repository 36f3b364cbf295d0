import { z } from 'zod';
import { type ImageRef, imageRefSchema } from './image-ref.ts';
import { JOB_NAME, JOB_NAME_RULE } from './job-name.ts';
import { type JobRun, runField, runSchema } from './job-run.ts';
import { MAX_ATTEMPTS, MAX_HOPS, MAX_IMAGES_PER_MESSAGE } from './limits.ts';
import { sqsJson } from './sqs-json.ts';

export { type ImageRef, imageRefSchema };

/** The job of messages that name none. */
export const DEFAULT_JOB = 'default';

/** The name of a job. */
export const jobNameSchema = z.string().regex(JOB_NAME, JOB_NAME_RULE);

/** Why the image of a dead-letter message failed; a worker that receives it again ignores this. */
const deadLetterReasonSchema = z.object({
  code: z.string(),
  stage: z.string(),
  message: z.string(),
  attempts: z.int(),
});

const imageSchema = imageRefSchema.extend({ error: deadLetterReasonSchema.optional() });

/**
 * The product's own message, version 1. `run` is the run in `job.json`, and absent where the job has none. `attempt` counts
 * from 1. `hops` is how often the worker has sent the images on in a new message, and is absent in messages of producers.
 */
export const messageSchema = z.strictObject({
  v: z.literal(1),
  job: jobNameSchema,
  run: runSchema.optional(),
  attempt: z.int().min(1).max(MAX_ATTEMPTS),
  hops: z.int().min(0).max(MAX_HOPS).optional(),
  images: z.array(imageSchema).min(1).max(MAX_IMAGES_PER_MESSAGE),
});

/** Why an image of a dead-letter message failed. */
export type DeadLetterReason = z.infer<typeof deadLetterReasonSchema>;
/**
 * A parsed message: images of a run of a job, their attempt, and how often they were sent on (never when `hops` is absent).
 */
export type QueueMessage = { job: string; run?: string; attempt: number; hops?: number; images: ImageRef[] };
/** A message without its images. */
export type Envelope = Omit<QueueMessage, 'images'>;

/** Whether the images of a message may be sent on in another message; otherwise each needs its outcome now. */
export function maySendOn({ hops = 0 }: Envelope): boolean {
  return hops < MAX_HOPS;
}

/** The envelope of the next message of a chain; by default with the same attempt. */
export function nextEnvelope({ job, run, attempt, hops = 0 }: Envelope, nextAttempt: number = attempt): Envelope {
  return { job, ...runField(run), attempt: nextAttempt, hops: hops + 1 };
}

/** The body of a message in the product's own form; `parseMessage` is its inverse. */
export function formatMessage({ job, run, attempt, hops, images }: QueueMessage): string {
  return sqsJson({ v: 1, job, run, attempt, hops, images });
}

/**
 * The body of a dead-letter message: one image with the reason of its failure. It is a valid queue message with `attempt` 1
 * and no `hops`, so a redrive only has to move it back to the queue.
 */
export function formatDeadLetter({ job, run }: JobRun, image: ImageRef, error: DeadLetterReason): string {
  return sqsJson({ v: 1, job, run, attempt: 1, images: [{ ...image, error }] });
}
