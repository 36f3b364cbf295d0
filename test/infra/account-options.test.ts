import { describe, expect, test } from '@jest/globals';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { stageConfig } from '../../infra/stage-config.ts';
import { ACCOUNT_STAGES, EVERYTHING } from './stages.ts';
import { stageUnderTest, templateOf } from './synthesized.ts';

const configOf = new Map(ACCOUNT_STAGES);
const optionsOf = (name: string) => {
  const config = configOf.get(name);
  if (config === undefined) throw new Error(`expected a stage that is ${name}`);
  return config as Record<string, unknown>;
};
const stageThatIs = (name: string) => templateOf(optionsOf(name));
const plain = templateOf({ api: {}, chatbot: {} });

function propertiesOf(template: Template, type: string): Record<string, unknown>[] {
  return Object.values(template.findResources(type)).map(({ Properties = {} }) => Properties);
}

describe('vpc', () => {
  const template = stageThatIs('in a VPC');

  test('is used by each function', () => {
    template.resourceCountIs('AWS::Lambda::Function', 4);
    template.allResourcesProperties('AWS::Lambda::Function', {
      VpcConfig: { SubnetIds: ['subnet-0123456789abcdef0'], SecurityGroupIds: ['sg-0123456789abcdef0'] },
    });
    plain.allResourcesProperties('AWS::Lambda::Function', { VpcConfig: Match.absent() });
  });

  test('network interfaces are created by Lambda, not by the code of the functions', () => {
    const denied = propertiesOf(template, 'AWS::IAM::Policy').filter((policy) =>
      JSON.stringify(policy).includes('lambda:SourceFunctionArn'),
    );
    expect(denied).toHaveLength(4);
    for (const { PolicyDocument } of denied) {
      expect(PolicyDocument).toMatchObject({
        Statement: [{ Effect: 'Deny', Action: expect.arrayContaining(['ec2:CreateNetworkInterface']), Resource: '*' }],
      });
    }
  });
});

test('allowedHosts apply to worker and API, and not to the chatbot, which is open to anyone', () => {
  const template = templateOf({ ...optionsOf('with a private image server'), api: {}, chatbot: {} });
  const hosts = propertiesOf(template, 'AWS::Lambda::Function').map(({ Handler, Environment }) => [
    Handler,
    (Environment as { Variables: Record<string, string> }).Variables['ALLOWED_HOSTS'],
  ]);
  expect(Object.fromEntries(hosts)).toEqual({
    ...{ 'index.handler': 'images.internal:8080', 'api.handler': 'images.internal:8080', 'chat.handler': undefined },
    'sweep.handler': undefined,
  });
});

describe('kmsKeyArn', () => {
  const template = stageThatIs('under a key');
  const key = optionsOf('under a key')['kmsKeyArn'];

  test('encrypts queues, bucket and logs', () => {
    template.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: Match.anyValue() });
    for (const { KmsMasterKeyId } of propertiesOf(template, 'AWS::SQS::Queue')) expect(KmsMasterKeyId).toBe(key);
    template.allResourcesProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key },
          },
        ],
      },
    });
    template.resourceCountIs('AWS::Logs::LogGroup', 4);
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: key });
    template.hasResourceProperties('AWS::Athena::WorkGroup', {
      WorkGroupConfiguration: {
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: key } },
      },
    });
  });

  test('may be used by worker, API and sweep', () => {
    const using = propertiesOf(template, 'AWS::IAM::Role').filter((role) =>
      JSON.stringify(role).includes(`"kms:Decrypt","kms:GenerateDataKey"`),
    );
    expect(using).toHaveLength(3);
  });
});

test('keys of sources and model are for reading only', () => {
  const template = stageThatIs('with sources and a model under keys');
  const roles = JSON.stringify(template.findResources('AWS::IAM::Role'));
  expect(roles).toContain('"kms:Decrypt"');
  expect(roles).not.toContain('GenerateDataKey');
});

test('tags are on every resource that has tags, beside those of the stack', () => {
  const template = stageThatIs('with tags');
  const expected = ['application', 'cost-centre', 'owner', 'stage'];
  for (const type of ['AWS::SQS::Queue', 'AWS::S3::Bucket', 'AWS::Lambda::Function', 'AWS::IAM::Role']) {
    for (const { Tags } of propertiesOf(template, type)) {
      expect((Tags as { Key: string }[]).map(({ Key }) => Key)).toEqual(expected);
    }
  }
});

test('permissionsBoundary bounds each role', () => {
  const boundary = optionsOf('within a boundary')['permissionsBoundary'];
  const roles = propertiesOf(stageThatIs('within a boundary'), 'AWS::IAM::Role');
  expect(roles.length).toBeGreaterThanOrEqual(4);
  for (const role of roles) expect(role).toMatchObject({ PermissionsBoundary: boundary });
});

test('terminationProtection is the stack’s, and off by default', () => {
  expect(stageUnderTest(optionsOf('protected')).stack.terminationProtection).toBe(true);
  expect(stageUnderTest().stack.terminationProtection).toBe(false);
});

test('tracing makes each function send its segments to X-Ray', () => {
  stageThatIs('traced').allResourcesProperties('AWS::Lambda::Function', { TracingConfig: { Mode: 'Active' } });
  plain.allResourcesProperties('AWS::Lambda::Function', { TracingConfig: Match.absent() });
});

describe('release', () => {
  const template = stageThatIs('released by canaries');

  test('shifts API and chatbot behind aliases, a tenth of the calls first, and rolls back on their alarm', () => {
    template.resourceCountIs('AWS::Lambda::Alias', 2);
    for (const alarm of ['ApiFunctionErrors', 'ChatFunctionErrors']) {
      template.hasResourceProperties('AWS::CodeDeploy::DeploymentGroup', {
        DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent15Minutes',
        AlarmConfiguration: { Alarms: [{ Name: `labelqueue-test-${alarm}` }], Enabled: true },
        AutoRollbackConfiguration: { Enabled: true, Events: Match.arrayWith(['DEPLOYMENT_STOP_ON_ALARM']) },
      });
      template.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: `labelqueue-test-${alarm}` });
    }
  });

  test('callers use the alias', () => {
    const live = Object.keys(template.findResources('AWS::Lambda::Alias'));
    const [api, chat] = ['Api', 'Chat'].map((name) => live.find((id) => id.startsWith(`${name}Live`)));
    for (const { IntegrationUri } of propertiesOf(template, 'AWS::ApiGatewayV2::Integration')) {
      expect(JSON.stringify(IntegrationUri)).toContain(`"Ref":"${api}"`);
    }
    expect(JSON.stringify(propertiesOf(template, 'AWS::Lex::BotAlias'))).toContain(`"LambdaArn":{"Ref":"${chat}"}`);
    const permitted = propertiesOf(template, 'AWS::Lambda::Permission')
      .filter(({ Principal }) => Principal !== 'events.amazonaws.com')
      .map(({ FunctionName }) => FunctionName);
    expect(new Set(permitted.map((name) => JSON.stringify(name)))).toEqual(
      new Set([JSON.stringify({ Ref: api }), JSON.stringify({ Ref: chat })]),
    );
  });

  test('the worker has no alias: its event source uses the function itself', () => {
    expect(JSON.stringify(propertiesOf(template, 'AWS::Lambda::EventSourceMapping'))).not.toContain('Live');
  });
});

test('producers elsewhere may send messages, and nothing else', () => {
  const policies = propertiesOf(stageThatIs('with producers elsewhere'), 'AWS::SQS::QueuePolicy');
  const allowed = policies
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: Record<string, unknown>[] }).Statement)
    .filter(({ Effect }) => Effect === 'Allow');
  expect(allowed).toHaveLength(1);
  const [{ Action, Principal } = {}] = allowed;
  expect((Action as string[]).toSorted()).toEqual(['sqs:GetQueueUrl', 'sqs:SendMessage']);
  const { AWS } = Principal as { AWS: unknown[] };
  expect(AWS).toHaveLength(2);
  expect(AWS).toEqual(
    expect.arrayContaining([
      { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::444455556666:root']] },
      'arn:aws:iam::111122223333:role/producers/lists',
    ]),
  );
});

test('topics of SNS and rules of EventBridge may send messages, each service only for these', () => {
  const policies = propertiesOf(stageThatIs('fed by topics and rules'), 'AWS::SQS::QueuePolicy');
  const allowed = policies
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: Record<string, unknown>[] }).Statement)
    .filter(({ Effect }) => Effect === 'Allow');
  const events = 'arn:aws:events:us-east-1:111122223333:rule';
  const common = {
    Action: 'sqs:SendMessage',
    Resource: { 'Fn::GetAtt': [expect.stringMatching(/^JobsQueue/), 'Arn'] },
  };
  expect(allowed).toEqual([
    {
      ...{ ...common, Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' } },
      Condition: { ArnEquals: { 'aws:SourceArn': ['arn:aws:sns:us-east-1:111122223333:new-images'] } },
    },
    {
      ...{ ...common, Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' } },
      Condition: { ArnEquals: { 'aws:SourceArn': [`${events}/new-images`, `${events}/shop/new-images`] } },
    },
  ]);
});

test.each([
  'arn:aws:sns:us-east-1:111122223333:*',
  'arn:aws:sns:us-east-1:111122223333:topic:0b1c7e8a-0000-0000-0000-000000000000',
  'arn:aws:events:us-east-1:111122223333:rule/*',
  'arn:aws:events:us-east-1:111122223333:event-bus/shop',
  'arn:aws:lambda:us-east-1:111122223333:function:shop',
  '*',
])('a producer %s is refused, with what is expected', (producer) => {
  expect(() => stageConfig('test', { allowProducers: [producer] })).toThrow(
    /allowProducers\.0: expected an account of 12 digits, or the ARN of a role, a user, an SNS topic or an EventBridge rule/,
  );
});

test.each([
  ['a stage', templateOf()],
  ['everything', templateOf(EVERYTHING)],
])('the queues of images and the bucket of %s outlive the stack, with their policies', (_name, template) => {
  for (const type of ['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy', 'AWS::S3::Bucket', 'AWS::S3::BucketPolicy']) {
    const kept = Object.entries(template.findResources(type)).filter(([name]) => !name.startsWith('JobEvents'));
    expect(kept.length).toBeGreaterThan(0);
    for (const [name, { DeletionPolicy, UpdateReplacePolicy }] of kept) {
      expect({ name, DeletionPolicy, UpdateReplacePolicy }).toEqual({
        ...{ name, DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' },
      });
    }
  }
});
