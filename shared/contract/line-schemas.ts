/**
 * The lines of `results/` and `failures/` as schemas, for readers of other projects: the product itself reads what it has
 * written. `result-line.ts` has the same as types.
 */
import { z } from 'zod';
import { TRUNK } from './embedding.ts';
import { ERROR_CODES, type ErrorCode, type ErrorReport, type Stage } from './error-codes.ts';
import { imageRefSchema } from './image-ref.ts';
import { runSchema } from './job-run.ts';
import { MAX_ATTEMPTS } from './limits.ts';
import { jobNameSchema } from './message.ts';
import type { FailureLine, ImageFacts, Label, ModelId, ResultLine } from './result-line.ts';

const label = z.object({
  label: z.string(),
  score: z.number().min(0).max(1).meta({ description: 'the probability of the class' }),
  classId: z.int().min(0),
}) satisfies z.ZodType<Label>;

const model = z.object({ name: z.string(), version: z.string() }) satisfies z.ZodType<ModelId>;

const image = z.object({
  width: z.int().min(1).meta({ description: 'in pixels, upright' }),
  height: z.int().min(1).meta({ description: 'in pixels, upright' }),
  format: z.string(),
  bytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
}) satisfies z.ZodType<ImageFacts>;

/** Not zod's own `base64`: JSON Schema knows no such format. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const STAGES = ['fetch', 'decode', 'infer', 'worker'] as const satisfies readonly Stage[];

const error = z.object({
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  stage: z.enum(STAGES).meta({ description: "where in the image's life the error arose" }),
  message: z.string().meta({ description: 'for people: what was expected, and what came' }),
  retryable: z.boolean(),
}) satisfies z.ZodType<ErrorReport>;

/** What each line has at its beginning and its end. */
const origin = {
  v: z.literal(1),
  job: jobNameSchema,
  run: runSchema.exactOptional(),
  ...imageRefSchema.shape,
  // As a producer names it: an empty one was never written.
  meta: imageRefSchema.shape.meta.unwrap().exactOptional(),
};
const end = {
  attempt: z.int().min(1).max(MAX_ATTEMPTS),
  at: z.iso.datetime().meta({ description: 'when the image was settled' }),
};

/** A line of `results/`: an image that was classified. Later versions may add properties. */
export const resultLineSchema = z.object({
  ...origin,
  labels: z.array(label).meta({ description: 'best first' }),
  model,
  image,
  embedding: z.string().regex(BASE64).exactOptional().meta({ description: 'float16, little-endian, in base64' }),
  trunk: z.string().regex(TRUNK).exactOptional().meta({ description: 'the model without its last layer' }),
  ...end,
}) satisfies z.ZodType<ResultLine>;

/** A line of `failures/`: an image that failed permanently, or at each attempt. Later versions may add properties. */
export const failureLineSchema = z.object({ ...origin, error, ...end }) satisfies z.ZodType<FailureLine>;
