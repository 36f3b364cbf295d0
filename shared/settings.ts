import { z } from 'zod';
import {
  DEFAULT_TOP_K,
  FETCH_TIMEOUT_MS,
  MAX_DELAY_SECONDS,
  MAX_TOP_K,
  MAX_USER_AGENT_CHARS,
  RETRY_BASE_SECONDS,
} from './contract/limits.ts';
import { MODEL_PRECISIONS } from './contract/stage-workers.ts';
import { isWebhookSecret } from './contract/standard-webhook.ts';
import { BUCKET_NAME, SHA256_HEX } from './contract/text-patterns.ts';
import { isHostAndPort } from './contract/urls.ts';
import { UserError } from './contract/user-error.ts';

/** A setting is missing or invalid. The message names it, what was expected and what came instead. */
export class SettingsError extends UserError {
  override readonly name = 'SettingsError';
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

const hostAndPort = z.string().refine(isHostAndPort, 'expected host:port, e.g. 127.0.0.1:8080');

/** Printable ASCII, without a space at its start or end. */
export const USER_AGENT = /^[!-~]([ -~]*[!-~])?$/;

/** The value of a `User-Agent` header: product, version, and contact. */
export const userAgent = z
  .string()
  .max(MAX_USER_AGENT_CHARS, `expected at most ${MAX_USER_AGENT_CHARS} characters`)
  .regex(USER_AGENT, 'expected a User-Agent of printable ASCII, e.g. my-project/1.0 (me@example.com)');

const queueUrl = z.url({ protocol: /^https?$/, error: 'expected the URL of an SQS queue' });

const queueSettings = { queueUrl, deadLetterQueueUrl: queueUrl };
const bucketSettings = {
  resultsBucket: z.string().regex(BUCKET_NAME, 'expected the name of an S3 bucket'),
};
/** The queue of looks at the ends of runs; without it none are requested. */
const jobEndSettings = { jobEndQueueUrl: queueUrl.optional() };
/** Values of S3_ADDRESSING_STYLE, as in the AWS CLI and boto3. */
export const S3_ADDRESSING_STYLES = ['auto', 'path', 'virtual'] as const;
const classifierSettings = {
  /** A model folder; by default the default model. */
  modelDir: z.string().min(1).optional(),
  /** A model folder in S3, with a `SHA256SUMS`; in place of `modelDir`. */
  modelS3Uri: z
    .string()
    .regex(/^s3:\/\/[^/]+\/(.*[^/]\/)?$/s, 'expected s3://bucket/prefix/ with a slash at its end')
    .optional(),
  /** The SHA-256 that the `SHA256SUMS` of `modelS3Uri` must have, in lower-case hex. */
  modelSha256: z
    .string()
    .regex(SHA256_HEX, 'expected 64 hex digits in lower case: what sha256sum SHA256SUMS prints')
    .optional(),
  /** `true` allows the model to read and write files, use the network and start programs; only for trusted models. */
  modelTrusted: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  /** `float32` never uses an int8 model: results are then the same on every processor. */
  modelPrecision: z.enum(MODEL_PRECISIONS).default('auto'),
  /** host:port pairs that may be fetched from even if their address is not public. */
  allowedHosts: list.pipe(z.array(hostAndPort)),
  /** Buckets that s3:// URLs may name. */
  sourceBuckets: list.pipe(z.array(bucketSettings.resultsBucket)),
  /** Timeout of a fetch, redirects included. */
  fetchTimeoutSeconds: z.coerce
    .number()
    .min(0.1)
    .max(FETCH_TIMEOUT_MS / 1_000)
    .default(FETCH_TIMEOUT_MS / 1_000),
  /** The `User-Agent` for image servers; by default the project's name and version. */
  fetchUserAgent: userAgent.optional(),
  /** Labels per result line, best first. */
  topK: z.coerce.number().int().min(1).max(MAX_TOP_K).default(DEFAULT_TOP_K),
};
/** `1` or `true` puts the embedding of each image into its result line. */
const embeddingSettings = {
  embedding: z
    .enum(['0', '1', 'false', 'true'], 'expected 1 or 0')
    .default('0')
    .transform((text) => text === '1' || text === 'true'),
};

const ENVIRONMENT_NAMES: Record<string, string> = {
  queueUrl: 'QUEUE_URL',
  jobEndQueueUrl: 'JOB_END_QUEUE_URL',
  eventBus: 'JOB_EVENT_BUS',
  topicArn: 'JOB_EVENT_TOPIC_ARN',
  webhookSecret: 'WEBHOOK_SECRET',
  webhookSecretParameter: 'WEBHOOK_SECRET_PARAMETER',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  resultsBucket: 'RESULTS_BUCKET',
  modelDir: 'MODEL_DIR',
  modelS3Uri: 'MODEL_S3_URI',
  modelSha256: 'MODEL_SHA256',
  modelTrusted: 'MODEL_TRUSTED',
  modelPrecision: 'MODEL_PRECISION',
  allowedHosts: 'ALLOWED_HOSTS',
  sourceBuckets: 'SOURCE_BUCKETS',
  fetchTimeoutSeconds: 'FETCH_TIMEOUT_SECONDS',
  fetchUserAgent: 'FETCH_USER_AGENT',
  topK: 'TOP_K',
  embedding: 'EMBEDDING',
  retryBaseSeconds: 'RETRY_BASE_SECONDS',
  s3AddressingStyle: 'S3_ADDRESSING_STYLE',
  // The well-known variable of Powertools.
  serviceName: 'POWERTOOLS_SERVICE_NAME',
};

const awsSchema = z.object({
  /** Where the bucket is in S3 URLs: `path` in the path, `virtual` in the host, `auto` in the path if an endpoint is set. */
  s3AddressingStyle: z.enum(S3_ADDRESSING_STYLES).default('auto'),
});
const classifierSchema = z.object({
  ...classifierSettings,
  ...embeddingSettings,
  /** Uploaded folders in this bucket are always readable, whatever the source buckets are. */
  resultsBucket: bucketSettings.resultsBucket.optional(),
});
const jobSchema = z.object({ ...queueSettings, ...bucketSettings, ...jobEndSettings });
const apiSchema = z.object({
  ...queueSettings,
  ...bucketSettings,
  ...jobEndSettings,
  ...classifierSettings,
  serviceName: z.string().min(1).max(128).default('api'),
});
const chatSchema = z.object({
  ...classifierSettings,
  serviceName: z.string().min(1).max(128).default('chat'),
});
const announceSchema = z.object({
  ...bucketSettings,
  jobEndQueueUrl: queueUrl,
  allowedHosts: classifierSettings.allowedHosts,
  fetchUserAgent: classifierSettings.fetchUserAgent,
  /** The name of an EventBridge bus; without it, no events are sent. */
  eventBus: z.string().min(1).optional(),
  /** The ARN of an SNS topic; without it, no messages are sent. */
  topicArn: z.string().regex(/^arn:/, 'expected the ARN of an SNS topic').optional(),
  /** The secret that webhooks are signed with. */
  webhookSecret: z
    .string()
    .refine(isWebhookSecret, 'expected whsec_ and 24 to 64 bytes in base64, as Standard Webhooks has it')
    .optional(),
  /** The name of an SSM SecureString with that secret; in place of it. */
  webhookSecretParameter: z.string().min(1).optional(),
  serviceName: z.string().min(1).max(128).default('announce'),
});
const sweepSchema = z.object({
  ...jobSchema.shape,
  serviceName: z.string().min(1).max(128).default('sweep'),
});
const workerSchema = z.object({
  ...queueSettings,
  ...bucketSettings,
  ...jobEndSettings,
  ...classifierSettings,
  ...embeddingSettings,
  /** The delay before an image's second attempt; doubled for each attempt after that. */
  retryBaseSeconds: z.coerce.number().min(0).max(MAX_DELAY_SECONDS).default(RETRY_BASE_SECONDS),
  /** The name of the worker in logs and metrics: one per stack, so that each stack has its own metrics. */
  serviceName: z.string().min(1).max(128).default('classify'),
});

/** Settings of AWS clients, besides the SDK's own variables. */
export type AwsSettings = z.infer<typeof awsSchema>;
/** Settings of the stages, with or without a queue. */
export type ClassifierSettings = z.infer<typeof classifierSchema>;
/** Settings of a producer: its queues and bucket. */
export type JobSettings = z.infer<typeof jobSchema>;
/** Settings of the HTTP API, which classifies by itself and enqueues jobs. */
export type ApiSettings = z.infer<typeof apiSchema>;
/** Settings of the chatbot. */
export type ChatSettings = z.infer<typeof chatSchema>;
/** Settings of the function that announces ends of runs. */
export type AnnounceSettings = z.infer<typeof announceSchema>;
/** Settings of the sweep, which writes missing failures. */
export type SweepSettings = z.infer<typeof sweepSchema>;
/** Settings of the worker. */
export type WorkerSettings = z.infer<typeof workerSchema>;

/** One of {@link S3_ADDRESSING_STYLES}. */
export type S3AddressingStyle = (typeof S3_ADDRESSING_STYLES)[number];
/** One of {@link MODEL_PRECISIONS}. */
export type ModelPrecision = (typeof MODEL_PRECISIONS)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads settings from environment variables. @throws {SettingsError} naming each variable that is missing or wrong */
type SettingsReader<Settings> = (environment: Environment) => Settings;

/** For AWS clients, besides the SDK's own variables. */
export const awsSettingsFrom: SettingsReader<AwsSettings> = readerOf(awsSchema);
/** For programs that classify without a queue. */
export const classifierSettingsFrom: SettingsReader<ClassifierSettings> = readerOf(classifierSchema);
/** For producers and operators. */
export const jobSettingsFrom: SettingsReader<JobSettings> = readerOf(jobSchema);
/** For the worker. */
export const workerSettingsFrom: SettingsReader<WorkerSettings> = readerOf(workerSchema);
/** For the HTTP API. */
export const apiSettingsFrom: SettingsReader<ApiSettings> = readerOf(apiSchema);
/** For the chatbot. */
export const chatSettingsFrom: SettingsReader<ChatSettings> = readerOf(chatSchema);
/** For the function that announces ends of runs. */
export const announceSettingsFrom: SettingsReader<AnnounceSettings> = readerOf(announceSchema);
/** For the function that writes missing failures. */
export const sweepSettingsFrom: SettingsReader<SweepSettings> = readerOf(sweepSchema);

function readerOf<Schema extends z.ZodObject>(schema: Schema): SettingsReader<z.infer<Schema>> {
  return (environment) => readSettings(schema, environment);
}

function readSettings<Schema extends z.ZodObject>(schema: Schema, environment: Environment): z.infer<Schema> {
  const given: Record<string, string | undefined> = {};
  for (const field of Object.keys(schema.shape)) {
    // An empty variable is how shells and templates say "not set".
    given[field] = environment[variableOf(field)] || undefined;
  }
  const result = schema.safeParse(given);
  const problems = result.error?.issues.map((issue) => describe(issue, given)) ?? [];
  if ('modelDir' in schema.shape) problems.push(...modelProblems(given));
  if (result.success && problems.length === 0) return result.data;
  throw new SettingsError(`wrong settings:\n${problems.join('\n')}`);
}

/** A model is in a folder, or in S3 with its hash. */
function modelProblems({ modelDir, modelS3Uri, modelSha256 }: Environment): string[] {
  const problems: string[] = [];
  if (modelDir !== undefined && modelS3Uri !== undefined) {
    problems.push('  MODEL_DIR and MODEL_S3_URI are both set: expected one of them');
  }
  if (modelS3Uri !== undefined && modelSha256 === undefined) {
    problems.push('  MODEL_SHA256 is not set: expected the SHA-256 of the SHA256SUMS at MODEL_S3_URI');
  }
  if (modelS3Uri === undefined && modelSha256 !== undefined) {
    problems.push('  MODEL_SHA256 is set and MODEL_S3_URI is not: expected both');
  }
  return problems;
}

function describe(issue: z.core.$ZodIssue, given: Record<string, string | undefined>): string {
  const field = String(issue.path[0]);
  const value = given[field];
  if (value === undefined) return `  ${variableOf(field)} is not set: ${EXPECTATIONS[field] ?? issue.message}`;
  const shown = SECRETS.has(field) ? '…' : JSON.stringify(value);
  return `  ${variableOf(field)}=${shown}: ${issue.message}`;
}

/** Settings whose values are never printed. */
const SECRETS: ReadonlySet<string> = new Set(['webhookSecret']);

const EXPECTATIONS: Record<string, string> = {
  queueUrl: 'expected the URL of the SQS queue',
  deadLetterQueueUrl: 'expected the URL of the dead-letter queue',
  resultsBucket: 'expected the name of the S3 bucket for results',
  jobEndQueueUrl: 'expected the URL of the SQS queue of looks at ends of jobs',
};

function variableOf(field: string): string {
  const name = ENVIRONMENT_NAMES[field];
  if (name === undefined) throw new Error(`no environment variable is named for the setting ${field}`);
  return name;
}
