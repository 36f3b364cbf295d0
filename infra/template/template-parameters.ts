import { CfnCondition, CfnParameter, Fn } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { FUNCTION_MEMORY_MB, MAX_TOP_K, MAX_USER_AGENT_CHARS } from '../../shared/contract/limits.ts';
import { ARCHITECTURES } from '../../shared/contract/worker-time.ts';
import { USER_AGENT } from '../../shared/settings.ts';
import { SECURITY_GROUP_ID, SUBNET_ID } from '../account-config.ts';
import { BUCKET_NAME, DEFAULT_MAXIMUM_CONCURRENCY } from '../service-config.ts';

/** The parameters by the groups in which CloudFormation's console shows them. */
const GROUPS = {
  'Worker package': ['PackageBucket', 'PackageKey', 'Architecture'],
  Worker: ['MemoryMb', 'MaximumConcurrency', 'TopK', 'FetchUserAgent'],
  Images: ['SourceBuckets', 'SubnetIds', 'SecurityGroupIds', 'AllowedHosts'],
  Operation: ['AlarmEmail', 'LogRetentionDays'],
} as const;

/**
 * Hosts with a port as a stage takes them, as far as a pattern can tell: no names and addresses of the function itself, in any
 * notation (`infra/hosts-of-this-machine.ts`). So IPv4 addresses have four decimal numbers, the last label of a name begins with
 * a letter, and IPv6 addresses do not begin with zeros.
 */
const ALLOWED_HOST = new RegExp(
  [
    '^((?!([^:]*\\.)?localhost\\.?:)([a-z0-9_-]+\\.)*[a-z_][a-z0-9_-]*\\.?',
    '(?!0|127\\.|169\\.254\\.)\\d{1,3}(\\.\\d{1,3}){3}',
    '\\[(?!0|::|fe[89ab]|fd00:0?ec2:)[0-9a-f:.]+\\]):\\d{1,5}$',
  ].join('|'),
);

const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

/** CloudFormation compares each value of a list with it. */
function orEmpty({ source }: RegExp): string {
  return `^(${source.slice(1, -1)})?$`;
}

export type TemplateParameters = Record<(typeof GROUPS)[keyof typeof GROUPS][number], CfnParameter>;

/** What CloudFormation's console shows: groups, and the order in them. */
export const PARAMETER_GROUPS = {
  'AWS::CloudFormation::Interface': {
    ParameterGroups: Object.entries(GROUPS).map(([label, Parameters]) => ({ Label: { default: label }, Parameters })),
  },
};

/** Makes the parameters. Their ids are public: people have them in files. */
export function templateParameters(scope: Construct): TemplateParameters {
  const text = (id: string, description: string, props: object = {}) =>
    new CfnParameter(scope, id, { type: 'String', description, ...props });
  const number = (id: string, description: string, props: object) =>
    new CfnParameter(scope, id, { type: 'Number', description, ...props });
  const list = (id: string, description: string, { pattern, expected }: { pattern: RegExp; expected: string }) =>
    new CfnParameter(scope, id, {
      ...{ type: 'CommaDelimitedList', description, default: '' },
      ...{ allowedPattern: orEmpty(pattern), constraintDescription: expected },
    });
  return {
    PackageBucket: text('PackageBucket', 'Bucket of this region with the zip of the worker package', { minLength: 3 }),
    PackageKey: text('PackageKey', 'Key of that zip; another package needs another key', { minLength: 1 }),
    Architecture: text('Architecture', 'Processors that the package is for', {
      allowedValues: [...ARCHITECTURES],
      default: ARCHITECTURES[0],
    }),
    MemoryMb: number('MemoryMb', 'Memory of the worker in MiB; 1769 are one vCPU', {
      default: FUNCTION_MEMORY_MB,
      minValue: 1_536,
      maxValue: 10_240,
    }),
    MaximumConcurrency: number(
      'MaximumConcurrency',
      'Invocations of the worker at once; a new account has 10 for all of its functions together',
      { default: DEFAULT_MAXIMUM_CONCURRENCY, minValue: 2, maxValue: 1_000 },
    ),
    TopK: number('TopK', 'Labels per result line', { default: 5, minValue: 1, maxValue: MAX_TOP_K }),
    FetchUserAgent: text('FetchUserAgent', 'Sent to image servers as User-Agent, with how to reach you', {
      ...{ default: '', maxLength: MAX_USER_AGENT_CHARS, allowedPattern: orEmpty(USER_AGENT) },
      constraintDescription: 'expected printable ASCII, e.g. my-project/1.0 (me@example.com)',
    }),
    SourceBuckets: list('SourceBuckets', 'Names of buckets of this account whose objects s3:// URLs may name', {
      pattern: BUCKET_NAME,
      expected: 'expected names of S3 buckets',
    }),
    SubnetIds: list('SubnetIds', 'Subnets that the functions run in, at most 16; empty: outside of any VPC', {
      pattern: SUBNET_ID,
      expected: 'expected ids of subnets',
    }),
    SecurityGroupIds: list('SecurityGroupIds', 'Security groups of the functions, at most 5; needed with SubnetIds', {
      pattern: SECURITY_GROUP_ID,
      expected: 'expected ids of security groups',
    }),
    AllowedHosts: list('AllowedHosts', 'host:port of servers in the VPC that have private addresses; needs SubnetIds', {
      pattern: ALLOWED_HOST,
      expected: 'expected host:port in lower case, not of the function itself',
    }),
    AlarmEmail: text('AlarmEmail', 'E-mail address that gets the alarms; empty: none', {
      ...{ default: '', allowedPattern: orEmpty(EMAIL), constraintDescription: 'expected an e-mail address' },
    }),
    LogRetentionDays: number('LogRetentionDays', 'Days that logs are kept', {
      // A text, as the values are: validators compare them.
      default: '30',
      allowedValues: ['1', '3', '5', '7', '14', '30', '60', '90', '120', '150', '180', '365', '400', '545', '731'],
    }),
  };
}

/** A condition that holds where the parameter is not empty. */
export function isGiven(scope: Construct, parameter: CfnParameter): CfnCondition {
  const text = parameter.type === 'String' ? parameter.valueAsString : Fn.join('', parameter.valueAsList);
  return new CfnCondition(scope, `Has${parameter.node.id}`, {
    expression: Fn.conditionNot(Fn.conditionEquals(text, '')),
  });
}
