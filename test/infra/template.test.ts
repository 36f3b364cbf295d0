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
import { MAX_TEMPLATE_BYTES, templateApp, writeTemplate } from '../../infra/template/write-template.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type MotoServer, startMotoServer } from '../support/moto-server.ts';
import { askMoto, motoClientConfig } from '../support/moto-stack.ts';
import { linted, nagged } from './rules.ts';
import { templateOf } from './synthesized.ts';

type Resource = { Type: string; Properties?: Record<string, unknown> };
type Template = {
  Parameters: Record<string, unknown>;
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
