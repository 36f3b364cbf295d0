import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  EVENT_SOURCE_BATCH_SIZE,
  EVENT_SOURCE_WINDOW_SECONDS,
  FUNCTION_MEMORY_MB,
  MAX_TOP_K,
} from '../shared/contract/limits.ts';
import { UserError } from '../shared/contract/user-error.ts';
import { ARCHITECTURES } from '../shared/contract/worker-time.ts';
import { TextEncodingError, textOfFile } from '../shared/runtime/text-file.ts';
import { MODEL_PRECISIONS, userAgent } from '../shared/settings.ts';
import { ACCOUNT_OPTIONS, modelKmsKeyArn } from './account-config.ts';
import { areOfOneSize, fleet, instanceTypesOf, unfitInstanceType } from './fleet/fleet-config.ts';

/** A configuration that is missing or wrong. The message names the file, each field, and what was expected. */
export class StageConfigError extends UserError {
  override readonly name = 'StageConfigError';
}

/** What a new account's functions may run at once is 10; two are left for others. */
export const DEFAULT_MAXIMUM_CONCURRENCY = 8;

const STAGES = join(import.meta.dirname, 'stages');
/** What CloudFormation takes in the name of a stack, S3 in the middle of a bucket's name, and Lex in that of a bot. */
const STAGE_NAME = /^(?!.*--)[a-z][a-z0-9-]{0,19}$/;
/** What CloudWatch Logs takes. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/**
 * The names of all source buckets together. They stand in the queue's policy (8,192 bytes), twice in each role's policies
 * (10,240 characters) and in the functions' environment (4,096 bytes); `test/infra/limits.test.ts` counts.
 */
export const MAX_SOURCE_BUCKET_CHARS = 1_500;
/** The model's URI stands in the functions' environment, too. */
export const MAX_MODEL_URI_CHARS = 300;

const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected the name of an S3 bucket');

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

/** An origin as browsers send it: scheme and host, with the port where it is not the usual one. */
const origin = z.string().regex(/^(\*|https?:\/\/[a-z0-9.-]+(:\d+)?)$/, 'expected an origin, https://host, or *');

/** What browsers on pages of other origins may do: API Gateway answers their preflight requests. */
const cors = z.strictObject({
  allowOrigins: z.array(origin).min(1).max(50),
  /** How long a browser remembers the answer. */
  maxAgeSeconds: z.int().min(0).max(86_400).default(600),
});

const api = z.strictObject({
  /** 1,769 MB are one vCPU. The model and one image need about 750. */
  memoryMb: z.int().min(1_024).max(10_240).default(FUNCTION_MEMORY_MB),
  /** All callers together; API Gateway answers the others with 429. */
  requestsPerSecond: z.int().min(1).max(10_000).default(10),
  /** Requests that may come at the same moment. */
  burst: z.int().min(1).max(5_000).default(20),
  /** Environments that no other function may take, and no more than these. */
  reservedConcurrency: z.int().min(1).max(1_000).optional(),
  /** Tokens of this issuer in place of IAM's signatures. */
  jwt: z
    .strictObject({
      issuer: z.url({ protocol: /^https$/, error: 'expected the https URL of an OpenID issuer' }),
      audience: z.array(z.string().min(1)).min(1).max(50),
    })
    .optional(),
  /** Which pages of other origins may call it with a token; none without. */
  cors: cors.optional(),
});

const chatbot = z.strictObject({
  /** 1,769 MB are one vCPU. The model and one image need about 750. */
  memoryMb: z.int().min(1_024).max(10_240).default(FUNCTION_MEMORY_MB),
  /** Whether the bot is directed at children; a law of the USA (COPPA) has Lex ask. */
  childDirected: z.boolean().default(false),
  /** After so long without a word a conversation starts anew. */
  idleSessionMinutes: z.int().min(1).max(1_440).default(5),
});

/** A name, or a path, which begins with a slash. SSM keeps `aws` and `ssm` at their beginning to itself. */
const PARAMETER_NAME = /^(?!\/?(aws|ssm))([A-Za-z0-9_.-]+|(\/[A-Za-z0-9_.-]+)+)$/i;
/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html */
const MAX_PARAMETER_CHARS = 1_011;

const jobEvents = z.strictObject({
  /** An SNS topic for those who want a mail or a message in a queue of another account. */
  topic: z.boolean().default(false),
  /** The name of a SecureString of SSM with the secret that webhooks are signed with; no webhooks without. */
  webhookSecretParameter: z
    .string()
    .max(MAX_PARAMETER_CHARS)
    .regex(PARAMETER_NAME, 'expected the name of a parameter of SSM; a path begins with a slash')
    .optional(),
});

/** How ends of jobs are announced beside EventBridge. */
export type JobEventsConfig = z.infer<typeof jobEvents>;

/** The options of the chatbot. */
export type ChatbotConfig = z.infer<typeof chatbot>;

/** The options of the HTTP API. */
export type ApiConfig = z.infer<typeof api>;

const schema = z
  .strictObject({
    /**
     * Invocations that the queue may run at once, 2 to 1,000. The default fits a new account, whose
     * functions share a quota of 10.
     */
    maximumConcurrency: z.int().min(2).max(1_000).optional(),
    /** Pollers that are paid for by the hour, in place of a maximum concurrency. */
    provisionedPollers: provisionedPollers.optional(),
    /** Messages an invocation, 1 to 10,000; above 10 a window is needed. */
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
    /** Labels a result line. */
    topK: z.int().min(1).max(MAX_TOP_K).optional(),
    /** `true` puts the embedding of each image into its result line: 3.4 kB more a line, see docs/embeddings.md. */
    embedding: z.boolean().optional(),
    /** What image servers are told, with how to reach you: some refuse those who do not say. */
    fetchUserAgent: userAgent.optional(),
    /** Buckets that `s3://` URLs may name; the worker may read all their objects. */
    sourceBuckets: z.array(bucketName).max(50).refine(fitPolicies, SOURCE_BUCKETS_RULE).default([]),
    /** Results and failures are deleted after so many days; kept without. */
    resultsExpireAfterDays: z.int().min(1).max(3_650).optional(),
    logRetentionDays: z.literal(LOG_RETENTION_DAYS).default(30),
    /** Who gets the alarms; AWS asks the address to confirm. */
    alarmEmail: z.email().optional(),
    /** The oldest message may wait so long before an alarm, in minutes. */
    oldestMessageAlarmMinutes: z.int().min(5).max(20_000).default(60),
    /** The share of images that may fail within a quarter of an hour before an alarm. */
    failureShareAlarm: z.number().gt(0).max(1).default(0.25),
    /** The HTTP API; without, there is none. */
    api: api.optional(),
    /** The Lex chatbot; without, there is none. */
    chatbot: chatbot.optional(),
    /** An event of EventBridge at the end of each job, and what else is turned on here; without, nobody announces it. */
    jobEvents: z
      .union(
        [z.literal(true).transform(() => jobEvents.parse({})), jobEvents],
        'expected true, or an object of options',
      )
      .optional(),
    /** Workers on EC2; without, there are none. */
    fleet: fleet.optional(),
    /** Tables and queries for Athena. */
    athena: z.boolean().default(true),
    ...ACCOUNT_OPTIONS,
  })
  .refine((config) => config.maximumConcurrency === undefined || config.provisionedPollers === undefined, {
    path: ['provisionedPollers'],
    message: 'expected either maximumConcurrency or provisionedPollers, Lambda takes one of them',
  })
  .refine(({ provisionedPollers }) => (provisionedPollers?.minimum ?? 0) <= (provisionedPollers?.maximum ?? 0), {
    path: ['provisionedPollers', 'minimum'],
    message: 'expected at most the maximum',
  })
  .refine(({ batchSize, batchWindowSeconds }) => batchSize <= 10 || batchWindowSeconds > 0, {
    path: ['batchWindowSeconds'],
    message: 'expected at least 1 with a batchSize above 10',
  })
  .refine(({ allowedHosts, vpc }) => allowedHosts === undefined || vpc !== undefined, {
    path: ['allowedHosts'],
    message: 'expected a vpc, too: without one the functions reach no private address',
  })
  .refine(({ release, api, chatbot }) => release === undefined || api !== undefined || chatbot !== undefined, {
    path: ['release'],
    message: 'expected api or chatbot, too: the worker is released at once',
  })
  .refine(({ sourceKmsKeyArns = [], sourceBuckets }) => sourceKmsKeyArns.length === 0 || sourceBuckets.length > 0, {
    path: ['sourceKmsKeyArns'],
    message: 'expected sourceBuckets, too: the keys are those of their objects',
  })
  .superRefine(({ fleet, architecture }, context) => {
    const types = fleet === undefined ? [] : instanceTypesOf(fleet, architecture);
    const unfit = unfitInstanceType(types, architecture);
    const message =
      unfit !== undefined
        ? `expected types with ${architecture} processors, as the stage's architecture says, got ${unfit}`
        : 'expected types of one size, such as xlarge: the fleet counts instances';
    if (unfit !== undefined || (types.length > 0 && !areOfOneSize(types))) {
      context.addIssue({ code: 'custom', path: ['fleet', 'instanceTypes'], message });
    }
  })
  .refine(({ api }) => api?.cors === undefined || api.jwt !== undefined, {
    path: ['api', 'cors'],
    message: 'expected jwt, too: pages have tokens, and no credentials to sign with',
  });

/** What each resource of a stage is tagged with that takes tags. */
export function stageTags({ stage, tags }: Pick<StageConfig, 'stage' | 'tags'>): Record<string, string> {
  return { ...tags, application: 'labelqueue', stage };
}

/** One stage of the service, e.g. `dev` or `prod`: each is a stack of its own. */
export type StageConfig = z.infer<typeof schema> & { stage: string };

/**
 * Checks what a stage's file says.
 *
 * @param source how messages call the file
 * @throws {StageConfigError}
 */
export function stageConfig(stage: string, given: unknown, source = `${stage}.json`): StageConfig {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ...parsed.data, stage };
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new StageConfigError(`wrong configuration in ${source}:\n${problems.join('\n')}`);
}

/**
 * Reads `infra/stages/<stage>.json`.
 *
 * @throws {StageConfigError}
 */
export function readStageConfig(stage: string, folder: string = STAGES): StageConfig {
  if (!STAGE_NAME.test(stage)) {
    throw new StageConfigError(
      `expected a stage of at most 20 lower-case letters, digits and dashes, got ${JSON.stringify(stage)}`,
    );
  }
  const source = `infra/stages/${stage}.json`;
  let text: string;
  try {
    text = textOfFile(readFileSync(join(folder, `${stage}.json`)));
  } catch (cause) {
    if (cause instanceof TextEncodingError) throw new StageConfigError(`${source}: ${cause.message}`, { cause });
    throw new StageConfigError(`there is no ${source}: copy infra/stages/dev.json and change it`, { cause });
  }
  return stageConfig(stage, parseJson(text, source), source);
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StageConfigError(`expected JSON in ${source}: ${(cause as Error).message}`, { cause });
  }
}
