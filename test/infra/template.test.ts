/** The template with parameters, for people without the CDK. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  type Parameter,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StageConfigError, stageConfig } from '../../infra/stage-config.ts';
import { MAX_TEMPLATE_BYTES, templateApp, writeTemplate } from '../../infra/template/write-template.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type MotoServer, startMotoServer } from '../support/moto-server.ts';
import { askMoto, motoClientConfig } from '../support/moto-stack.ts';
import { linted, nagged } from './rules.ts';
import { templateOf } from './synthesized.ts';
import { brokenRules, type Rules } from './template-rules.ts';

type Resource = { Type: string; Properties?: Record<string, unknown> };
type Template = {
  Parameters: Record<string, Record<string, unknown>>;
  Rules: Rules;
  Resources: Record<string, Resource>;
  Metadata: { 'AWS::CloudFormation::Interface': { ParameterGroups: { Parameters: string[] }[] } };
  Outputs: Record<string, unknown>;
};

let folder: TemporaryFolder;
let path: string;
let text: string;
let template: Template;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  path = join(folder.path, 'labelqueue.template.json');
  text = writeTemplate(path);
  template = JSON.parse(text);
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

test('the template needs no bootstrap and no assets, and fits a request', () => {
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect(text).not.toMatch(/bootstrap|cdk-|assets/i);
  expect(text.length).toBeLessThanOrEqual(MAX_TEMPLATE_BYTES);
});

test('each parameter is in one group, and described', () => {
  const grouped = template.Metadata['AWS::CloudFormation::Interface'].ParameterGroups.flatMap(
    ({ Parameters }) => Parameters,
  );
  expect(grouped.toSorted()).toEqual(Object.keys(template.Parameters).toSorted());
  for (const parameter of Object.values(template.Parameters)) {
    expect(parameter).toMatchObject({ Description: expect.any(String) });
  }
});

test('outputs are those of the project’s own stack, by which labelqueue --stack finds it', () => {
  const own = Object.keys(templateOf().toJSON()['Outputs']);
  expect(own).toEqual(expect.arrayContaining(Object.keys(template.Outputs)));
  expect(Object.keys(template.Outputs)).toEqual(
    expect.arrayContaining(['QueueUrl', 'DeadLetterQueueUrl', 'ResultsBucketName']),
  );
});

describe('rules and patterns of the template', () => {
  const GIVEN = {
    SubnetIds: 'subnet-0123456789abcdef0',
    SecurityGroupIds: 'sg-0123456789abcdef0',
    AllowedHosts: 'images.internal:80',
  };
  const names = Object.keys(GIVEN) as (keyof typeof GIVEN)[];
  const combinations = Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, index) => bits & (1 << index)),
  );

  test.each(combinations.map((given) => [given.join(' and ') || 'none of them', given] as const))(
    'take and refuse %s as a stage does',
    (_name, given) => {
      const parameters = Object.fromEntries(given.map((name) => [name, [GIVEN[name]]]));
      const { SubnetIds, SecurityGroupIds, AllowedHosts } = parameters;
      const vpc = {
        ...(SubnetIds && { subnetIds: SubnetIds }),
        ...(SecurityGroupIds && { securityGroupIds: SecurityGroupIds }),
      };
      const stage = {
        ...(Object.keys(vpc).length > 0 && { vpc }),
        ...(AllowedHosts && { allowedHosts: AllowedHosts }),
      };
      const broken = brokenRules(template.Rules, parameters);
      const isRefused = () => stageConfig('test', stage);
      if (broken.length === 0) expect(isRefused).not.toThrow();
      else expect(isRefused).toThrow(StageConfigError);
      for (const description of broken) expect(description).toMatch(/^expected (SubnetIds|SecurityGroupIds), too: /);
    },
  );

  test.each([
    ['SubnetIds', ['subnet-0123abcd'], ['vpc-0123abcd', 'subnet-XYZ', 'subnet-0123abcd subnet-0123abcd']],
    ['SecurityGroupIds', ['sg-0123abcd'], ['default', 'sg-1']],
    ['SourceBuckets', ['photos', 'my.photos-2'], ['Photos', 's3://photos', 'photos/*', '*', 'ab']],
    ['FetchUserAgent', ['photos/1.0 (me@example.com)'], [' photos', 'photos\n', 'Größe/1.0']],
    ['AlarmEmail', ['me@example.com'], ['me', 'me@example', 'me @example.com']],
  ])('%s has the pattern of its setting', (name, taken, refused) => {
    const { AllowedPattern, ConstraintDescription } = template.Parameters[name] ?? {};
    const pattern = new RegExp(String(AllowedPattern));
    expect(ConstraintDescription).toMatch(/^expected /);
    expect(['', ...taken].filter((text) => !pattern.test(text))).toEqual([]);
    expect(refused.filter((text) => pattern.test(text))).toEqual([]);
  });

  test.each([
    ...[
      'images.internal:8080',
      'nas:80',
      '10.0.3.7:80',
      '192.168.1.9:65535',
      '[fd12:3456::9]:80',
      'localhost.internal:80',
    ],
    ...[
      'localhost:80',
      'localhost.:80',
      'a.localhost:80',
      '127.0.0.1:80',
      '127.1:80',
      '2130706433:80',
      '0x7f000001:80',
      '0x7f.1:80',
    ],
    ...[
      '0177.0.0.1:80',
      '0.0.0.0:80',
      '169.254.169.254:80',
      '169.254.100.5:9001',
      '[::1]:80',
      '[::]:80',
      '[0:0:0:0:0:0:0:1]:80',
    ],
    ...[
      '[::ffff:127.0.0.1]:80',
      '[fe80::1]:80',
      '[fd00:ec2::254]:80',
      '[fd00:0ec2::254]:80',
      'images.internal',
      'https://images:80',
    ],
  ])('takes and refuses the host %s as a stage does', (host) => {
    const pattern = new RegExp(String(template.Parameters['AllowedHosts']?.['AllowedPattern']));
    const vpc = { subnetIds: [GIVEN.SubnetIds], securityGroupIds: [GIVEN.SecurityGroupIds] };
    const ofStage = () => stageConfig('test', { vpc, allowedHosts: [host] });
    if (pattern.test(host)) expect(ofStage).not.toThrow();
    else expect(ofStage).toThrow(StageConfigError);
  });
});

test('cfn-lint finds nothing in the template', async () => {
  expect(await linted(path)).toBe('');
}, 300_000);

test('cdk-nag finds nothing in the template', () => {
  const outdir = join(folder.path, 'nag');
  expect(nagged(templateApp(outdir).app, outdir)).toBe('');
});

describe('in CloudFormation', () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMotoServer();
    const s3 = new S3Client(motoClientConfig(moto));
    await s3.send(new CreateBucketCommand({ Bucket: 'packages' }));
    // The end record of a zip without entries: no test runs these functions.
    const Body = Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex');
    await s3.send(new PutObjectCommand({ Bucket: 'packages', Key: 'classify.zip', Body }));
  }, 300_000);
  afterAll(async () => {
    await moto[Symbol.asyncDispose]();
  });

  /** Has moto create a stack with these parameters. @returns its outputs */
  async function created(StackName: string, given: Record<string, string>): Promise<Record<string, string>> {
    const cloudFormation = new CloudFormationClient({ ...motoClientConfig(moto), maxAttempts: 1 });
    const Parameters: Parameter[] = Object.entries({
      ...{ PackageBucket: 'packages', PackageKey: 'classify.zip' },
      ...given,
    }).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
    await cloudFormation.send(
      new CreateStackCommand({ StackName, TemplateBody: text, Parameters, Capabilities: ['CAPABILITY_IAM'] }),
    );
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    expect(Stacks?.[0]).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    return Object.fromEntries(
      (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  }

  type FunctionDescription = {
    FunctionName: string;
    MemorySize: number;
    Role: string;
    VpcConfig?: { SubnetIds?: string[] };
    Environment: { Variables: Record<string, string> };
  };

  async function workerNamed(name: string | undefined): Promise<FunctionDescription | undefined> {
    const response = await askMoto(moto, 'lambda', '/2015-03-31/functions/');
    const { Functions } = (await response.json()) as { Functions: FunctionDescription[] };
    return Functions.find(({ FunctionName }) => FunctionName === name);
  }

  /** Names of the policies that the role of the worker has within itself, and one policy. */
  async function rolePolicies({ Role }: FunctionDescription): Promise<string> {
    const role = Role.replace(/^.*\//, '');
    const response = await askMoto(moto, 'iam', `/?Action=ListRolePolicies&RoleName=${role}&Version=2010-05-08`);
    return await response.text();
  }

  test('a stack with nothing but the package has the defaults, and nothing that is turned on', async () => {
    const outputs = await created('least', {});
    const worker = await workerNamed(outputs['FunctionName']);
    expect(worker).toMatchObject({ MemorySize: 1_769 });
    expect(worker?.Environment.Variables).toMatchObject({
      QUEUE_URL: outputs['QueueUrl'],
      SOURCE_BUCKETS: outputs['ResultsBucketName'],
    });
    // CloudFormation makes a text of the number, moto does not.
    expect(String(worker?.Environment.Variables['TOP_K'])).toBe('5');
    expect(Object.keys(worker?.Environment.Variables ?? {})).not.toContain('ALLOWED_HOSTS');
    expect(worker?.VpcConfig?.SubnetIds ?? []).toEqual([]);
    const policies = await rolePolicies(worker as FunctionDescription);
    expect(policies).toContain('worker');
    expect(policies).not.toMatch(/Sources|NoInterfacesByCode/);
  }, 300_000);

  test('a stack with all parameters has what they ask for', async () => {
    const subnet = /<subnetId>([^<]+)</.exec(
      await (await askMoto(moto, 'ec2', '/?Action=DescribeSubnets&Version=2016-11-15')).text(),
    )?.[1];
    const group = /<groupId>([^<]+)</.exec(
      await (await askMoto(moto, 'ec2', '/?Action=DescribeSecurityGroups&Version=2016-11-15')).text(),
    )?.[1];
    const outputs = await created('most', {
      ...{ MemoryMb: '3000', MaximumConcurrency: '20', TopK: '3', LogRetentionDays: '7', Architecture: 'arm64' },
      ...{ AlarmEmail: 'operator@example.com', FetchUserAgent: 'photos/1.0 (photos@example.com)' },
      ...{ SourceBuckets: 'photos,scans', SubnetIds: String(subnet), SecurityGroupIds: String(group) },
      AllowedHosts: 'images.internal:8080,other.internal:80',
    });
    const worker = await workerNamed(outputs['FunctionName']);
    expect(worker).toMatchObject({ MemorySize: 3_000, VpcConfig: { SubnetIds: [subnet] } });
    expect(worker?.Environment.Variables).toMatchObject({
      SOURCE_BUCKETS: `${outputs['ResultsBucketName']},photos,scans`,
      ALLOWED_HOSTS: 'images.internal:8080,other.internal:80',
      FETCH_USER_AGENT: 'photos/1.0 (photos@example.com)',
    });
    expect(String(worker?.Environment.Variables['TOP_K'])).toBe('3');
    const role = String(worker?.Role).replace(/^.*\//, '');
    const query = `/?Action=GetRolePolicy&RoleName=${role}&PolicyName=Sources&Version=2010-05-08`;
    const sources = decodeURIComponent(await (await askMoto(moto, 'iam', query)).text());
    for (const arn of ['photos', 'photos/*', 'scans', 'scans/*']) expect(sources).toContain(`"arn:aws:s3:::${arn}"`);
  }, 300_000);
});
