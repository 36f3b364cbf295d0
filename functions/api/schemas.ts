/** What the API takes and gives. The same schemas check requests and make the OpenAPI document. */
import { z } from 'zod';
import { runSchema } from '../../shared/contract/job-run.ts';
import { MAX_API_TOP_K, MAX_IMAGES_PER_REQUEST, MAX_TOP_K, MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import { imageRefSchema, jobNameSchema } from '../../shared/contract/message.ts';
import { PROBLEMS, type ProblemCode, type ProblemDocument } from '../../shared/contract/problem.ts';
import type { ImageFacts, Label, ModelId } from '../../shared/contract/result-line.ts';
import { issuesText } from '../../shared/contract/schema-issues.ts';
import { ARCHITECTURES } from '../../shared/contract/worker-time.ts';
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
    imagelink: z.string().min(1).max(MAX_URL_CHARS).optional().meta({ description: 'another name of `url`' }),
    top,
  })
  .refine(
    ({ url, imagelink }) => (url === undefined) !== (imagelink === undefined),
    'expected either url or imagelink, and it once',
  );

/** The query of `POST /classify`. */
export const uploadQuerySchema = z.strictObject({ top });

/** Bytes: what they are is found out when they are decoded. */
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
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
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

/** A union says only that nothing fits. What was given decides which form was meant, and so which issues are told. */
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
    job: jobNameSchema.optional().meta({ description: 'by default a new one' }),
    resume: z.boolean().optional().meta({
      description: 'go on with a job of the same images that was interrupted: sends only what was not sent',
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
    repetitions: z.int().min(0).meta({ description: 'exact repetitions that were left out' }),
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
      description: 'the run that counts: a name that is used again after a purge gets a new one',
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
      description: 'missing, as toGo, for a job of another producer, whose state is unknown or cancelled',
    }),
    classified: count,
    failed: count,
    failedByCode: z.record(z.string(), count),
    countsAreEstimates: z.boolean().meta({
      description: 'there was no time to list all part files: the counts are estimates from a random sample of them',
    }),
    toGo: count.exactOptional().meta({ description: 'without an outcome' }),
    stranded: count.exactOptional().meta({
      description:
        'of toGo, those whose messages SQS moved to the dead-letter queue by itself; missing where there are none',
    }),
    queue: z
      .object({ waiting: count, inFlight: count, retrying: count, deadLetters: count })
      .meta({ description: 'messages of all jobs: SQS does not tell them apart' }),
    imagesPerSecond: z
      .number()
      .min(0)
      .meta({ description: '0 when no image was settled for two minutes, and when the job has ended' }),
    secondsLeft: z
      .number()
      .min(0)
      .exactOptional()
      .meta({ description: 'missing when no image was settled for two minutes, and when the job has ended' }),
    costSoFarUsd: z
      .number()
      .min(0)
      .meta({ description: 'at list prices, with the computing time that its workers measured' }),
    computing: z
      .object({
        workers: z
          .array(z.object({ architecture: z.enum(ARCHITECTURES), memoryMb: count, seconds: z.number().min(0) }))
          .meta({ description: 'measured computing time, by kind of worker' }),
        measuredShare: z
          .number()
          .min(0)
          .max(1)
          .meta({ description: 'of the images with an outcome; for the others the assumed processor stands in' }),
      })
      .meta({ description: 'what the cost is made of' }),
  })
  .meta({ id: 'JobStatus' }) satisfies z.ZodType<JobStatus>;

/** The response of `GET /healthz`. */
export const healthSchema = z.object({ status: z.literal('ok'), model }).meta({ id: 'Health' });

/** This API's own description, which is described no further. */
export const documentSchema = z.looseObject({ openapi: z.string() });

/** The body of every error response. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:labelqueue:problem:not_found' }),
    title: z.string().meta({ description: 'what the code means' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'what was expected and what came' }),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    retryable: z.boolean().meta({ description: 'whether the same request may succeed later' }),
  })
  .meta({ id: 'Problem' }) satisfies z.ZodType<ProblemDocument>;
