/** Requests and responses of the API. The same schemas validate requests and generate the OpenAPI document. */
import { z } from 'zod';
import { runSchema } from '../../shared/contract/job-run.ts';
import { MAX_API_TOP_K, MAX_IMAGES_PER_REQUEST, MAX_TOP_K, MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import { imageRefSchema, jobNameSchema } from '../../shared/contract/message.ts';
import { PROBLEMS, type ProblemCode, type ProblemDocument } from '../../shared/contract/problem.ts';
import type { ImageFacts, Label, ModelId } from '../../shared/contract/result-line.ts';
import { issuesText } from '../../shared/contract/schema-issues.ts';
import { SHA256_HEX } from '../../shared/contract/text-patterns.ts';
import { ARCHITECTURES, WORKER_HOSTS } from '../../shared/contract/worker-time.ts';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import { ABSOLUTE_URL } from '../../shared/jobs/source-row.ts';

const IMAGE_URL = 'http, https or s3; from public addresses and the source buckets of the stage only';

const top = z.coerce.number().int().min(1).max(MAX_API_TOP_K).optional().meta({
  description: 'labels, best first; by default as many as in a result line',
});

/** The query of `GET /classify`. */
export const urlQuerySchema = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(MAX_URL_CHARS)
      .optional()
      .meta({ description: `where the image is: ${IMAGE_URL}` }),
    imagelink: z.string().min(1).max(MAX_URL_CHARS).optional().meta({ description: 'alias of `url`' }),
    top,
  })
  .refine(
    ({ url, imagelink }) => (url === undefined) !== (imagelink === undefined),
    'expected either url or imagelink, exactly once',
  );

/** The query of `POST /classify`. */
export const uploadQuerySchema = z.strictObject({ top });

/** Bytes, whose format is detected when they are decoded. */
export const uploadSchema = z.string().meta({
  description: 'JPEG, PNG, WebP, GIF, AVIF or TIFF, up to 4,000,000 bytes; judged by content',
  override: { type: 'string', format: 'binary' },
});

const label = z.object({
  label: z.string(),
  score: z.number().min(0).max(1).meta({ description: 'the probability of the class' }),
  classId: z.int().min(0),
}) satisfies z.ZodType<Label>;

const model = z.object({ name: z.string(), version: z.string() }).meta({ id: 'Model' }) satisfies z.ZodType<ModelId>;

const imageFacts = z.object({
  width: z.int().min(1).meta({ description: 'in pixels, upright' }),
  height: z.int().min(1).meta({ description: 'in pixels, upright' }),
  format: z.string(),
  bytes: z.int().min(1),
  sha256: z.string().regex(SHA256_HEX),
}) satisfies z.ZodType<ImageFacts>;

/** The response of both `/classify` operations. */
export const classifiedSchema = z
  .object({
    return: z.string().nullable().meta({
      description: 'the best label with its score; null when the model has a threshold and no label reaches it',
      example: 'espresso (score = 0.95476)',
    }),
    labels: z.array(label).max(MAX_TOP_K),
    image: imageFacts,
    model,
  })
  .meta({ id: 'Classified' });

const jobUrl = imageRefSchema.shape.url.regex(ABSOLUTE_URL, 'expected a http, https or s3 URL');
const idAndMeta = {
  id: imageRefSchema.shape.id.optional().meta({ description: 'unique within the job; by default the URL' }),
  meta: imageRefSchema.shape.meta,
};

/** A union reports only that nothing matches. The input decides which form was intended, and so which issues are reported. */
function reasonOfForm(given: unknown, [text, withUrl, withImagelink]: z.core.$ZodIssue[][]): string {
  const object = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (typeof given === 'string') return reasonOf(text, given);
  if (object && 'url' in given) return reasonOf(withUrl, given);
  if (object && 'imagelink' in given) return reasonOf(withImagelink, given);
  return 'expected a URL, or an object with url or imagelink';
}

function reasonOf(issues: z.core.$ZodIssue[] = [], given: unknown): string {
  return issuesText({ issues }, given);
}

/** The body of `POST /jobs`. */
export const jobRequestSchema = z
  .strictObject({
    images: z
      .array(
        z.union(
          [jobUrl, z.strictObject({ url: jobUrl, ...idAndMeta }), z.strictObject({ imagelink: jobUrl, ...idAndMeta })],
          { error: ({ input, errors }) => reasonOfForm(input, errors) },
        ),
      )
      .min(1, 'expected at least 1 image, got 0')
      .max(MAX_IMAGES_PER_REQUEST),
    job: jobNameSchema.optional().meta({ description: 'by default a new name' }),
    resume: z.boolean().optional().meta({
      description: 'resume an interrupted job of the same images: only what was not sent is sent',
    }),
  })
  .meta({ id: 'JobRequest' });

/** A validated body of `POST /jobs`. */
export type JobRequest = z.infer<typeof jobRequestSchema>;

/** The response of `POST /jobs`. */
export const jobAcceptedSchema = z
  .object({
    job: jobNameSchema,
    images: z.int().min(1),
    messages: z.int().min(1),
    duplicates: z.int().min(0).meta({ description: 'exact duplicates that were left out' }),
  })
  .meta({ id: 'JobAccepted' });

/** The path parameters of `GET /jobs/{job}`. */
export const jobPathSchema = z.strictObject({ job: jobNameSchema });

const count = z.int().min(0);

/** The response of `GET /jobs/{job}`. */
export const jobStatusSchema = z
  .object({
    job: jobNameSchema,
    run: runSchema.exactOptional().meta({
      description: 'the newest run: a job name that is used again after a purge gets a new run',
    }),
    state: z.enum([
      'enqueuing',
      'running',
      'completed',
      'completed with failures',
      'cancelled',
      'failed while enqueuing',
      'unknown',
    ]),
    enqueued: count.exactOptional().meta({
      description: 'absent, like remaining, for a job of another producer, whose state is unknown or cancelled',
    }),
    classified: count,
    failed: count,
    failedByCode: z.record(z.string(), count),
    countsAreEstimates: z.boolean().meta({
      description:
        'whether the counts are estimates from a random sample of the part files, for lack of time to list all of them',
    }),
    remaining: count.exactOptional().meta({ description: 'without an outcome' }),
    stranded: count.exactOptional().meta({
      description:
        'the part of remaining whose messages SQS itself moved to the dead-letter queue; absent where there is none',
    }),
    queue: z
      .object({ waiting: count, inFlight: count, retrying: count, deadLetters: count })
      .meta({ description: 'messages of all jobs: SQS does not distinguish jobs' }),
    imagesPerSecond: z
      .number()
      .min(0)
      .meta({ description: '0 when no image was settled for two minutes, and when the job has ended' }),
    secondsLeft: z
      .number()
      .min(0)
      .exactOptional()
      .meta({ description: 'absent when no image was settled for two minutes, and when the job has ended' }),
    costSoFarUsd: z
      .number()
      .min(0)
      .meta({ description: 'at list prices, with the computing time that its workers measured' }),
    computing: z
      .object({
        workers: z
          .array(
            z.object({
              host: z
                .enum(WORKER_HOSTS)
                .meta({ description: 'Lambda, an EC2 instance, or a machine of your own, which is not priced' }),
              architecture: z.enum(ARCHITECTURES),
              memoryMb: count.meta({ description: 'memory of the function; 0 outside Lambda' }),
              instanceFamily: z.string().optional().meta({
                description: 'on EC2: the family of the instance type, if its price is known',
                example: 'c7a',
              }),
              seconds: z.number().min(0),
            }),
          )
          .meta({ description: 'measured computing time, by machine type' }),
        measuredShare: z
          .number()
          .min(0)
          .max(1)
          .meta({ description: 'share of the images with an outcome; for the others the assumed processor is used' }),
      })
      .meta({ description: 'the computing time behind the cost' }),
  })
  .meta({ id: 'JobStatus' }) satisfies z.ZodType<JobStatus>;

/** The response of `GET /healthz`. */
export const healthSchema = z.object({ status: z.literal('ok'), model }).meta({ id: 'Health' });

/** The OpenAPI document itself. */
export const documentSchema = z.looseObject({ openapi: z.string() });

/** The body of every error response. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:labelqueue:problem:not_found' }),
    title: z.string().meta({ description: 'what the code means' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'what was expected and what came instead' }),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    retryable: z.boolean().meta({ description: 'whether the same request may succeed later' }),
  })
  .meta({ id: 'Problem' }) satisfies z.ZodType<ProblemDocument>;
