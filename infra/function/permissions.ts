import { Aws, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import { encryptionKeyStatements, sourceKeyStatements } from '../encryption.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { ServiceConfig } from '../service-config.ts';

/*
 * Statements are written by hand, since the CDK's grants are wider: `bucket.grantRead` allows `s3:GetObject*` and
 * `s3:GetBucket*`, `bucket.grantPut` tags and locks as well, `queue.grantSendMessages` reading attributes,
 * `key.grantEncryptDecrypt` `kms:ReEncrypt*`. `logGroup.grantWrite` alone is as narrow, but its statement would be in a policy
 * of its own, which an update of an existing stack makes after it has taken the old one away: no logs in between.
 * `queue.grant(grantee, action)` is used where a role exists already.
 */

/** What a function that classifies images works with. */
export type FunctionResources = { config: ServiceConfig; queues: Queues; results: Bucket; logGroup: LogGroup };

export function logStatements({ logGroupArn }: LogGroup): PolicyStatement[] {
  return [new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroupArn] })];
}

/** Names of objects with a wildcard, and why it is there. */
export type ObjectPatterns = Readonly<Record<string, string>>;

/** Of results, what functions read. */
const READ: ObjectPatterns = {
  'jobs/*': 'Descriptions of jobs and images of local folders lie there, whatever the name of the job.',
  'cancelled/*': 'Whether a run was cancelled, whatever the name of its job.',
};

/**
 * @param written objects that the function writes
 * @param read and those that it reads
 */
export function resultStatements(
  results: Bucket,
  written: ObjectPatterns,
  read: ObjectPatterns = READ,
): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: ['s3:PutObject'], resources: objectsIn(results, written) }),
    new PolicyStatement({ actions: ['s3:GetObject'], resources: objectsIn(results, read) }),
    // To count part files by their names; and without it S3 says "forbidden" of objects that do not exist.
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: [results.bucketArn] }),
  ];
}

function objectsIn(bucket: Bucket, patterns: ObjectPatterns): string[] {
  return Object.keys(patterns).map((pattern) => bucket.arnForObjects(pattern));
}

/** To read images and a model, and what is under keys: what the worker and the API share. */
export function classifyingStatements(config: ServiceConfig): PolicyStatement[] {
  return [
    ...sourceStatements(config.sourceBuckets),
    ...modelStatements(config.model),
    ...encryptionKeyStatements(config),
    ...sourceKeyStatements(config),
  ];
}

/** To read the images of other buckets. */
function sourceStatements(buckets: readonly string[]): PolicyStatement[] {
  if (buckets.length === 0) return [];
  const arns = sourceArns(buckets);
  return [
    new PolicyStatement({ actions: ['s3:GetObject'], resources: arns.map((arn) => `${arn}/*`) }),
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: arns }),
  ];
}

function sourceArns(buckets: readonly string[]): string[] {
  return buckets.map((bucket) => `arn:${Aws.PARTITION}:s3:::${bucket}`);
}

/** To read a model that is not in the package. */
export function modelStatements(model: ServiceConfig['model']): PolicyStatement[] {
  if (model === undefined) return [];
  const folder = model.s3Uri.slice('s3://'.length);
  const bucket = folder.slice(0, folder.indexOf('/'));
  return [
    new PolicyStatement({ actions: ['s3:GetObject'], resources: [`arn:${Aws.PARTITION}:s3:::${folder}*`] }),
    // Without it S3 says "forbidden" of a file that is missing.
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: [`arn:${Aws.PARTITION}:s3:::${bucket}`] }),
  ];
}

/**
 * Tells cdk-nag of each wildcard why it is there.
 *
 * @param written objects of the results bucket that the role may write
 */
export function acknowledgeWildcards(
  role: Role,
  { results, config }: Pick<FunctionResources, 'results' | 'config'>,
  written: ObjectPatterns,
): void {
  acknowledgeObjects(role, results, { ...written, ...READ });
  const ofSources = sourceArns(config.sourceBuckets).map((arn) => ({
    id: wildcardOf(asNagWrites(role, `${arn}/*`)),
    reason: 'The configuration names this bucket as one whose images may be classified.',
  }));
  Validations.of(role).acknowledge(...ofSources);
  acknowledgeModelWildcards(role, config);
}

/** The same for objects of the results bucket alone. */
export function acknowledgeObjects(holder: IConstruct, results: Bucket, patterns: ObjectPatterns): void {
  const ofResults = Object.entries(patterns).map(([pattern, reason]) => ({
    id: wildcardOf(asNagWrites(holder, results.arnForObjects(pattern))),
    reason,
  }));
  Validations.of(holder).acknowledge(...ofResults);
}

/** The same for the model, which all who classify may read. */
export function acknowledgeModelWildcards(role: Role, { model }: ServiceConfig): void {
  const ofModel =
    model === undefined
      ? []
      : [model.s3Uri.slice('s3://'.length)].map((folder) => ({
          id: wildcardOf(`arn:<AWS::Partition>:s3:::${folder}*`),
          reason: 'The configuration names this folder as that of the model.',
        }));
  Validations.of(role).acknowledge(...ofModel);
}

/** What cdk-nag calls a wildcard in a resource. */
export function wildcardOf(resource: string): string {
  return `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`;
}

/** A resource as cdk-nag writes it: `<Bucket.Arn>/jobs/*`, `arn:<AWS::Partition>:s3:::photos/*`. */
export function asNagWrites(scope: IConstruct, resource: string): string {
  return flat(Stack.of(scope).resolve(resource));
}

/** @param value what a template says in place of a text: the text, or a function of CloudFormation */
function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name, argument] = []] = Object.entries(value);
  if (name === 'Fn::Join') return (argument[1] as unknown[]).map(flat).join('');
  return `<${name === 'Fn::GetAtt' ? (argument as string[]).join('.') : argument}>`;
}
