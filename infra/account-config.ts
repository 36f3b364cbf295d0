import { z } from 'zod';
import { isHostAndPort } from '../shared/contract/urls.ts';
import { isOfThisMachine } from './hosts-of-this-machine.ts';

/** The ARN of a key, as policies need it: they do not look behind an alias. */
const kmsKeyArn = z
  .string()
  .max(200)
  .regex(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    'expected the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID, not of an alias',
  );

/** The id of a subnet. */
export const SUBNET_ID = /^subnet-[0-9a-f]{8,17}$/;
/** The id of a security group. */
export const SECURITY_GROUP_ID = /^sg-[0-9a-f]{8,17}$/;

/** Lambda takes at most 16 subnets and 5 security groups (its `VpcConfig`). */
export const vpc = z.strictObject({
  subnetIds: z.array(z.string().regex(SUBNET_ID, 'expected the id of a subnet')).min(1).max(16),
  securityGroupIds: z.array(z.string().regex(SECURITY_GROUP_ID, 'expected the id of a security group')).min(1).max(5),
});

const allowedHost = z
  .string()
  .toLowerCase()
  .max(80)
  .refine(isHostAndPort, 'expected host:port')
  .refine((host) => !isOfThisMachine(host), 'expected a server of your network, not the function itself');

/** Of 50 tags per resource, the stack sets two itself, and parts of a fleet have a `Name`. */
export const MAX_TAGS = 47;
const SET_BY_THE_STACK = new Set(['application', 'stage']);

const TAG_KEY = /^[\p{L}\p{N} _.:/=+@-]{1,128}$/u;

/** IAM takes no two tags of a role whose keys differ in case alone. @returns what is wrong with the last of these keys */
function tagKeyProblem(keys: readonly string[]): string | undefined {
  const key = keys.at(-1) ?? '';
  const lower = key.toLowerCase();
  if (!TAG_KEY.test(key)) return 'expected a name of at most 128 letters, digits, spaces and _.:/=+@-';
  if (lower.startsWith('aws:')) return 'expected a tag of yours: AWS sets those that begin with aws:';
  if (SET_BY_THE_STACK.has(lower)) return 'expected another tag: the stack sets this one itself, in whatever case';
  const isTwice = keys.slice(0, -1).some((other) => other.toLowerCase() === lower);
  return isTwice ? 'expected each tag once: upper and lower case are the same to IAM' : undefined;
}

const tags = z
  .record(
    z.string(),
    z.string().regex(/^[\p{L}\p{N} _.:/=+@-]{0,256}$/u, 'expected at most 256 letters, digits, spaces and _.:/=+@-'),
  )
  .refine((given) => Object.keys(given).length <= MAX_TAGS, `expected at most ${MAX_TAGS} tags`)
  .superRefine((given, context) => {
    const keys = Object.keys(given);
    for (const [index, key] of keys.entries()) {
      const message = tagKeyProblem(keys.slice(0, index + 1));
      if (message !== undefined) context.addIssue({ code: 'custom', path: [key], message });
    }
  });

/** The queue's policy holds all of them; `test/infra/limits.test.ts` counts. */
const MAX_PRODUCER_CHARS = 128;

/** Exact ARNs: a wildcard would let in topics and rules that others make later. */
const PRODUCER = new RegExp(
  [
    '^(\\d{12}',
    'arn:aws[a-z-]*:iam::\\d{12}:(role|user)/[\\w+=,.@/-]+',
    'arn:aws[a-z-]*:sns:[a-z0-9-]+:\\d{12}:[\\w-]+(\\.fifo)?',
    'arn:aws[a-z-]*:events:[a-z0-9-]+:\\d{12}:rule/([\\w./-]+/)?[\\w.-]+)$',
  ].join('|'),
);

const producer = z
  .string()
  .max(MAX_PRODUCER_CHARS)
  .regex(
    PRODUCER,
    'expected an account of 12 digits, or the ARN of a role, a user, an SNS topic or an EventBridge rule (arn:aws:events:REGION:ACCOUNT:rule/NAME)',
  );

/** What an account or its organization requires of a stage. docs/aws.md has what each needs and what was tried. */
export const ACCOUNT_OPTIONS = {
  /** Where the functions run; without, outside of any VPC. */
  vpc: vpc.optional(),
  /** Servers in that VPC that may be fetched from although their addresses are private. */
  allowedHosts: z.array(allowedHost).max(10).optional(),
  /** Encrypts queues, bucket and logs, in place of the keys that SQS and S3 have themselves. */
  kmsKeyArn: kmsKeyArn.optional(),
  /** Keys under which objects of `sourceBuckets` are. */
  sourceKmsKeyArns: z.array(kmsKeyArn).max(10).optional(),
  /** Put on each resource that takes tags. */
  tags: tags.optional(),
  /** A managed policy that bounds each role of the stack. */
  permissionsBoundary: z
    .string()
    .max(200)
    .regex(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/, 'expected the ARN of a managed policy')
    .optional(),
  /** Whether CloudFormation refuses to delete the stack. */
  terminationProtection: z.boolean().optional(),
  /** Has the functions send traces to AWS X-Ray. */
  tracing: z.enum(['xray']).optional(),
  /** Changes API and chatbot for a tenth of their calls first, and back when their alarm goes off. */
  release: z.enum(['canary']).optional(),
  /** Who else may send messages to the queue: accounts, or ARNs of roles, users, topics and rules. SQS takes 50 principals. */
  allowProducers: z.array(producer).max(20).optional(),
};

/** The key under which a model's objects are. */
export const modelKmsKeyArn = kmsKeyArn;
