import type { IKey } from 'aws-cdk-lib/aws-kms';
import { z } from 'zod';
import {
  EVENT_SOURCE_BATCH_SIZE,
  EVENT_SOURCE_WINDOW_SECONDS,
  FUNCTION_MEMORY_MB,
  MAX_TOP_K,
} from '../shared/contract/limits.ts';
import { MODEL_PRECISIONS } from '../shared/contract/stage-workers.ts';
import { ARCHITECTURES } from '../shared/contract/worker-time.ts';
import { userAgent } from '../shared/settings.ts';
import { ACCOUNT_OPTIONS, modelKmsKeyArn } from './account-config.ts';

/** What a new account's functions may run at once is 10; two are left for others. */
export const DEFAULT_MAXIMUM_CONCURRENCY = 8;

/** What CloudWatch Logs takes. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/**
 * The names of all source buckets together. They stand in the queue's policy (8,192 bytes), twice in each role's policies
 * (10,240 characters) and in the functions' environment (4,096 bytes); `test/infra/limits.test.ts` counts.
 */
export const MAX_SOURCE_BUCKET_CHARS = 1_500;
/** The model's URI stands in the functions' environment, too. */
export const MAX_MODEL_URI_CHARS = 300;

/** The name of an S3 bucket. */
export const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

const bucketName = z.string().regex(BUCKET_NAME, 'expected the name of an S3 bucket');

const SOURCE_BUCKETS_RULE = `expected names of at most ${MAX_SOURCE_BUCKET_CHARS} characters together: policies and environments of AWS hold no more`;

function fitPolicies(names: readonly string[]): boolean {
  return names.reduce((sum, { length }) => sum + length, 0) <= MAX_SOURCE_BUCKET_CHARS;
}

const provisionedPollers = z.strictObject({
  /** Each polls up to ten invocations at once. */
  minimum: z.int().min(2).max(200),
  maximum: z.int().min(2).max(2_000),
});

/** See MODEL_S3_URI and MODEL_SHA256 of the worker. */
const model = z.strictObject({
  s3Uri: z
    .string()
    .max(MAX_MODEL_URI_CHARS)
    .regex(/^s3:\/\/[a-z0-9.-]{3,63}\/([^*?]*[^/*?]\/)?$/, 'expected s3://bucket/prefix/ with a slash at its end'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits: what sha256sum SHA256SUMS prints'),
  /** Whether it may do more than compute, see MODEL_TRUSTED: the hash says which model it is, not what it does. */
  trusted: z.boolean().optional(),
  /** The key under which its objects are, if it is one of your own. */
  kmsKeyArn: modelKmsKeyArn.optional(),
});

/** Options of queues, bucket and worker: those of a stage, and of the construct `LabelQueue`. */
export const SERVICE_OPTIONS = {
  /**
   * Invocations that the queue may run at once, 2 to 1,000. The default fits a new account, whose
   * functions share a quota of 10.
   */
  maximumConcurrency: z.int().min(2).max(1_000).optional(),
  /** Pollers that are paid for by the hour, in place of a maximum concurrency. */
  provisionedPollers: provisionedPollers.optional(),
  /** Messages per invocation, 1 to 10,000; above 10 a window is needed. */
  batchSize: z.int().min(1).max(10_000).default(EVENT_SOURCE_BATCH_SIZE),
  /** How long Lambda waits for a batch to fill, 0 to 300 seconds. */
  batchWindowSeconds: z.int().min(0).max(300).default(EVENT_SOURCE_WINDOW_SECONDS),
  /** Of the processors that all functions run on: `arm64` computes in 32-bit floats, at four fifths of the price of the time. */
  architecture: z.enum(ARCHITECTURES).default(ARCHITECTURES[0]),
  /** 1,769 MB are one vCPU. The worker needs about 750, and the process that isolates an image as much again. */
  memoryMb: z.int().min(1_536).max(10_240).default(FUNCTION_MEMORY_MB),
  /** A model folder in S3, in place of the one in the package. */
  model: model.optional(),
  /** `float32` for 32-bit floats on x86, too, at up to twice the price. */
  modelPrecision: z.enum(MODEL_PRECISIONS).optional(),
  /** Labels per result line. */
  topK: z.int().min(1).max(MAX_TOP_K).optional(),
  /** `true` puts the embedding of each image into its result line: 3.4 kB more per line, see docs/embeddings.md. */
  embedding: z.boolean().optional(),
  /** Sent to image servers as `User-Agent`, with a contact: some refuse requests without one. */
  fetchUserAgent: userAgent.optional(),
  /** Buckets that `s3://` URLs may name; the worker may read all their objects. */
  sourceBuckets: z.array(bucketName).max(50).refine(fitPolicies, SOURCE_BUCKETS_RULE).default([]),
  /** Results and failures are deleted after so many days; kept forever without. */
  resultsExpireAfterDays: z.int().min(1).max(3_650).optional(),
  logRetentionDays: z.literal(LOG_RETENTION_DAYS).default(30),
  /** E-mail address that gets the alarms; AWS asks it to confirm. */
  alarmEmail: z.email().optional(),
  /** Minutes that the oldest message may wait before an alarm. */
  oldestMessageAlarmMinutes: z.int().min(5).max(20_000).default(60),
  /** The share of images that may fail within a quarter of an hour before an alarm. */
  failureShareAlarm: z.number().gt(0).max(1).default(0.25),
  vpc: ACCOUNT_OPTIONS.vpc,
  allowedHosts: ACCOUNT_OPTIONS.allowedHosts,
  sourceKmsKeyArns: ACCOUNT_OPTIONS.sourceKmsKeyArns,
  tracing: ACCOUNT_OPTIONS.tracing,
};

/** These options, with all defaults. */
export type ServiceOptions = z.infer<z.ZodObject<typeof SERVICE_OPTIONS>>;

/** What queues, bucket and worker are made of. */
export type ServiceConfig = ServiceOptions & {
  /** The dimension of its metrics, and the first part of its alarms' names. */
  serviceName: string;
  /** The key for queues, bucket and logs; undefined for keys of SQS's and S3's own. */
  encryptionKey: IKey | undefined;
};

/** What options must be together. */
const RULES: readonly { path: string[]; message: string; holds: (options: ServiceOptions) => boolean }[] = [
  {
    path: ['provisionedPollers'],
    message: 'expected either maximumConcurrency or provisionedPollers, Lambda takes one of them',
    holds: ({ maximumConcurrency, provisionedPollers }) =>
      maximumConcurrency === undefined || provisionedPollers === undefined,
  },
  {
    path: ['provisionedPollers', 'minimum'],
    message: 'expected at most the maximum',
    holds: ({ provisionedPollers }) => (provisionedPollers?.minimum ?? 0) <= (provisionedPollers?.maximum ?? 0),
  },
  {
    path: ['batchWindowSeconds'],
    message: 'expected at least 1 with a batchSize above 10',
    holds: ({ batchSize, batchWindowSeconds }) => batchSize <= 10 || batchWindowSeconds > 0,
  },
  {
    path: ['allowedHosts'],
    message: 'expected a vpc, too: without one the functions reach no private address',
    holds: ({ allowedHosts, vpc }) => allowedHosts === undefined || vpc !== undefined,
  },
  {
    path: ['sourceKmsKeyArns'],
    message: 'expected sourceBuckets, too: the keys are those of their objects',
    holds: ({ sourceKmsKeyArns = [], sourceBuckets }) => sourceKmsKeyArns.length === 0 || sourceBuckets.length > 0,
  },
];

/** Adds an issue for each rule that options break. */
export function checkRules(options: ServiceOptions, context: z.RefinementCtx): void {
  for (const { path, message, holds } of RULES) {
    if (!holds(options)) context.addIssue({ code: 'custom', path, message });
  }
}

/**
 * What is wrong, one indented line per option.
 *
 * @param whole how a problem of no single option is called
 */
export function problemsText({ issues }: z.ZodError, whole: string): string {
  return issues.map(({ path, message }) => `  ${path.join('.') || whole}: ${message}`).join('\n');
}
