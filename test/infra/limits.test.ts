/** The most that a stage's file may hold is something that AWS takes: its quotas, counted in the template. */
import { CreateQueueCommand, GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import { MAX_USER_DATA_BYTES } from '../../infra/fleet/user-data.ts';
import { MAX_MODEL_URI_CHARS, MAX_SOURCE_BUCKET_CHARS } from '../../infra/service-config.ts';
import { StageConfigError, stageConfig } from '../../infra/stage-config.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { startMotoServer } from '../support/moto-server.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { EVERYTHING } from './stages.ts';
import { templateOf } from './synthesized.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html */
const QUEUE_POLICY = { bytes: 8_192, statements: 20, principals: 50, conditions: 10, actionsPerStatement: 7 };
/** All inline policies of a role together, without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const ROLE_POLICY_CHARS = 10_240;
/** Names and values: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ENVIRONMENT_BYTES = 4_096;

const PER_NAME = MAX_SOURCE_BUCKET_CHARS / 50;
const KEY = `arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-${'0'.repeat(32)}`;
const PRODUCERS = [
  ...['iam::111122223333:role/', 'sns:us-gov-west-1:111122223333:', 'events:us-gov-west-1:111122223333:rule/'].map(
    (rest) => `arn:aws-us-gov:${rest}`,
  ),
];
const MOST = {
  ...EVERYTHING,
  topK: 1_000,
  embedding: true,
  modelPrecision: 'float32',
  fetchUserAgent: 'u'.repeat(256),
  kmsKeyArn: KEY,
  sourceBuckets: Array.from({ length: 50 }, (_, index) => String(index).padEnd(PER_NAME, 'b')),
  sourceKmsKeyArns: Array.from({ length: 10 }, (_, index) => KEY.replace(/0$/, String(index))),
  allowedHosts: Array.from({ length: 10 }, (_, index) => `${String(index).padEnd(75, 'h')}:8080`),
  allowProducers: Array.from({ length: 20 }, (_, index) => `${PRODUCERS[index % 3]}${index}`.padEnd(128, 'r')),
  model: {
    s3Uri: `s3://models/${'m'.repeat(MAX_MODEL_URI_CHARS - 13)}/`,
    sha256: 'a'.repeat(64),
    trusted: true,
    kmsKeyArn: KEY,
  },
};

type Resource = { Type: string; Properties: Record<string, unknown> };
const resources = templateOf(MOST).toJSON()['Resources'] as Record<string, Resource>;
const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);

/** The longest that a name of AWS's making can be, by what names it: 80 characters of a queue, 63 of a bucket. */
const ARN = 'arn:aws-us-gov:lambda:us-gov-west-1:111122223333:';
const LONGEST: Record<string, string> = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::Region': 'us-gov-west-1',
  'AWS::AccountId': '111122223333',
  'AWS::SQS::Queue': `https://sqs.us-gov-west-1.amazonaws.com/111122223333/${'q'.repeat(80)}`,
  'AWS::SQS::Queue.Arn': `${ARN}${'q'.repeat(80)}`,
  'AWS::SNS::Topic': `${ARN}${'t'.repeat(256)}`,
  'AWS::S3::Bucket': 'b'.repeat(63),
  'AWS::S3::Bucket.Arn': `arn:aws-us-gov:s3:::${'b'.repeat(63)}`,
  'AWS::Logs::LogGroup': 'l'.repeat(120),
  'AWS::Logs::LogGroup.Arn': `${ARN}log-group:${'l'.repeat(120)}:*`,
  'AWS::Lambda::Function.Arn': `${ARN}function:${'f'.repeat(64)}`,
};

/** What CloudFormation would put in place of its functions, at its longest. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const [[name = '', argument] = []] = Object.entries(value as Record<string, unknown>);
  if (name === 'Ref') return longest(argument as string);
  if (name === 'Fn::GetAtt') return longest(...(argument as [string, string]));
  if (name === 'Fn::Sub') return (argument as string).replaceAll(/\$\{(.+?)\}/g, (_, id: string) => longest(id));
  if (name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]];
    return parts.map(resolved).join(separator);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}

function longest(id: string, attribute?: string): string {
  const kind = resources[id]?.Type ?? id;
  const text = LONGEST[attribute === undefined ? kind : `${kind}.${attribute}`];
  if (text === undefined) throw new Error(`expected to know the longest ${kind} ${attribute ?? ''}`);
  return text;
}

const [moto] = await sharedByTests(startMotoServer());

type Statement = { Action: string | string[]; Principal?: unknown; Condition?: object };
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

test('the queue’s policy fits SQS, and is read back completely', async () => {
  const policies = ofType('AWS::SQS::QueuePolicy').map(([, { Properties }]) => resolved(Properties['PolicyDocument']));
  const [largest = ''] = policies.map((policy) => JSON.stringify(policy)).toSorted((a, b) => b.length - a.length);
  expect(Buffer.byteLength(largest)).toBeLessThanOrEqual(QUEUE_POLICY.bytes);
  // The limit on names is not far below what SQS takes.
  expect(Buffer.byteLength(largest)).toBeGreaterThan(0.7 * QUEUE_POLICY.bytes);

  const { Statement } = JSON.parse(largest) as { Statement: Statement[] };
  expect(Statement.length).toBeLessThanOrEqual(QUEUE_POLICY.statements);
  const principals = Statement.flatMap(({ Principal }) => list((Principal as { AWS?: unknown }).AWS ?? 'service'));
  expect(principals.length).toBeLessThanOrEqual(QUEUE_POLICY.principals);
  const conditions = Statement.flatMap(({ Condition = {} }) => Object.values(Condition).flatMap(Object.keys));
  expect(conditions.length).toBeLessThanOrEqual(QUEUE_POLICY.conditions);
  for (const { Action } of Statement) expect(list(Action).length).toBeLessThanOrEqual(QUEUE_POLICY.actionsPerStatement);

  const sqs = createSqsClient({
    endpoint: moto.endpoint,
    region: moto.region,
    credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
  });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'most' }));
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: largest } }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy'] }));
  const taken = JSON.parse(Attributes?.['Policy'] ?? '') as { Statement: Statement[] };
  expect(JSON.stringify(taken)).toContain('arn:aws-us-gov:s3:::49');
  expect(taken.Statement).toHaveLength(Statement.length);
});

test('each role’s policies fit IAM', () => {
  const chars = new Map<string, number>();
  const add = (role: string, document: unknown) =>
    chars.set(role, (chars.get(role) ?? 0) + JSON.stringify(resolved(document)).length);
  for (const [role, { Properties }] of ofType('AWS::IAM::Role')) {
    for (const { PolicyDocument } of (Properties['Policies'] ?? []) as { PolicyDocument: unknown }[]) {
      add(role, PolicyDocument);
    }
  }
  for (const [, { Properties }] of ofType('AWS::IAM::Policy')) {
    for (const { Ref } of Properties['Roles'] as { Ref: string }[]) add(Ref, Properties['PolicyDocument']);
  }
  expect(chars.size).toBeGreaterThanOrEqual(3);
  for (const [role, count] of chars)
    expect({ role, count, fits: count <= ROLE_POLICY_CHARS }).toMatchObject({ fits: true });
});

test('each function’s environment fits Lambda', () => {
  const functions = ofType('AWS::Lambda::Function');
  expect(functions).toHaveLength(5);
  for (const [name, { Properties }] of functions) {
    const { Variables } = resolved(Properties['Environment']) as { Variables: Record<string, string> };
    const bytes = Object.entries(Variables).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
    expect({ name, bytes, fits: bytes <= ENVIRONMENT_BYTES }).toMatchObject({ fits: true });
  }
});

test('the user data of the fleet’s instances fits EC2', () => {
  const [[, template] = []] = ofType('AWS::EC2::LaunchTemplate');
  const data = template?.Properties['LaunchTemplateData'] as { UserData: { 'Fn::Base64': unknown } } | undefined;
  const bytes = Buffer.byteLength(resolved(data?.UserData['Fn::Base64']) as string);
  expect(bytes).toBeLessThanOrEqual(MAX_USER_DATA_BYTES);
  expect(bytes).toBeGreaterThan(0.3 * MAX_USER_DATA_BYTES);
});

test('one character more is refused, with the limit of AWS', () => {
  const sourceBuckets = [...MOST.sourceBuckets.slice(1), 'b'.repeat(PER_NAME + 1)];
  expect(() => stageConfig('test', { sourceBuckets })).toThrow(StageConfigError);
  expect(() => stageConfig('test', { sourceBuckets })).toThrow(
    /sourceBuckets: expected names of at most 1500 characters/,
  );
});
