import { z } from 'zod';
import { runSchema } from './job-run.ts';
import { jobNameSchema } from './message.ts';
import { isWebhookUrl, WEBHOOK_URL_RULE } from './standard-webhook.ts';

/** Images that other jobs had classified, and this job leaves out; `until` is by the clock of S3. */
const notInSchema = z.object({
  jobs: z.array(jobNameSchema).min(1),
  until: z.iso.datetime(),
  /** Only images that this model had classified. */
  model: z.object({ name: z.string(), version: z.string() }).optional(),
});

/** What a job leaves out since other jobs have classified it. */
export type NotIn = z.infer<typeof notInSchema>;

/**
 * The content of `jobs/<job>/job.json`: what the producer sends, and its progress. Written before the first message,
 * periodically while sending, and after the last message.
 */
export const jobDescriptionSchema = z.object({
  v: z.literal(1),
  job: jobNameSchema,
  /** Absent in jobs of versions without runs. */
  run: runSchema.optional(),
  /** Stays `enqueuing` when the producer dies while sending: `updatedAt` is then stale. */
  state: z.enum(['enqueuing', 'enqueued', 'failed']),
  /** For people: a file's name, an s3:// prefix, or `-`. */
  source: z.string(),
  /** SHA-256 of the images in their order; a job can only be resumed with the same images. */
  sourceDigest: z.string(),
  perMessage: z.int().min(1),
  /** Images of the source. */
  images: z.int().min(0),
  /** This many images, the first ones of the source, are certainly on the queue. */
  sent: z.int().min(0),
  /** The sum of all its ids (see `id-sum.ts`), once all are sent. */
  idSum: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  /** Messages of these images. */
  messages: z.int().min(0),
  /** The job is cancelled once more than this fraction of at least 200 outcomes has failed. */
  maxFailureRate: z.number().gt(0).max(1).optional(),
  /** The job is cancelled before its cost exceeds this, in US dollars. */
  maxCostUsd: z.number().gt(0).optional(),
  /** The webhook that its end is announced to. */
  notify: z.string().refine(isWebhookUrl, `expected ${WEBHOOK_URL_RULE}`).optional(),
  /** Images of the source that are left out; the same when the job is resumed. */
  notIn: notInSchema.optional(),
  startedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** A parsed `job.json`. */
export type JobDescription = z.infer<typeof jobDescriptionSchema>;
