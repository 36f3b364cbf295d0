import { z } from 'zod';
import { runSchema } from './job-run.ts';
import { jobNameSchema } from './message.ts';
import { isWebhookUrl, WEBHOOK_URL_RULE } from './webhook-address.ts';

/** What other jobs had classified, and this one leaves out; `until` is by the clock of S3. */
const notInSchema = z.object({
  jobs: z.array(jobNameSchema).min(1),
  until: z.iso.datetime(),
  /** Only what this model had classified. */
  model: z.object({ name: z.string(), version: z.string() }).optional(),
});

/** What a job leaves out since other jobs have classified it. */
export type NotIn = z.infer<typeof notInSchema>;

/**
 * The content of `jobs/<job>/job.json`: what the producer sends, and how far it is. It is written
 * before the first message, every now and then while sending, and after the last one.
 */
export const jobDescriptionSchema = z.object({
  v: z.literal(1),
  job: jobNameSchema,
  /** Missing in jobs of versions before there were runs. */
  run: runSchema.optional(),
  /** `enqueuing` also while the producer is gone in the middle of it: `updatedAt` then grows old. */
  state: z.enum(['enqueuing', 'enqueued', 'failed']),
  /** For people: a file's name, an s3:// prefix, or `-`. */
  source: z.string(),
  /** SHA-256 of the images in their order; a job is resumed with the same images only. */
  sourceDigest: z.string(),
  perMessage: z.int().min(1),
  /** Images of the source. */
  images: z.int().min(0),
  /** The first so many images of the source are on the queue for certain. */
  sent: z.int().min(0),
  /** The sum of all its ids (see `id-sum.ts`), once all are sent. */
  idSum: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  /** Messages that carry them. */
  messages: z.int().min(0),
  /** The job cancels itself once this share of at least 200 outcomes has failed. */
  maxFailureRate: z.number().gt(0).max(1).optional(),
  /** The job cancels itself before its cost passes this many US dollars. */
  maxCostUsd: z.number().gt(0).optional(),
  /** Where its end is announced. */
  notify: z.string().refine(isWebhookUrl, `expected ${WEBHOOK_URL_RULE}`).optional(),
  /** Its source's images without these; a job that is resumed leaves out the same. */
  notIn: notInSchema.optional(),
  startedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** A parsed `job.json`. */
export type JobDescription = z.infer<typeof jobDescriptionSchema>;
