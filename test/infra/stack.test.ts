import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { PRICES } from '../../shared/cost.ts';
import { templateOf } from './synthesized.ts';

const template = templateOf();
const DAY = 86_400;

/** A policy statement that turns away whoever comes without TLS. */
const TLS_ONLY = Match.objectLike({
  Effect: 'Deny',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
});

describe('queues', () => {
  test('move a message to the DLQ after its fifth delivery', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: { deadLetterTargetArn: Match.anyValue(), maxReceiveCount: 5 },
    });
  });

  test('hide a message for the batch window in addition', () => {
    templateOf({ batchSize: 100, batchWindowSeconds: 300 }).hasResourceProperties('AWS::SQS::Queue', {
      ...{ RedrivePolicy: Match.anyValue(), VisibilityTimeout: 6 * 120 + 300 },
    });
  });

  test('hide a message for six times the timeout of the function', () => {
    template.hasResourceProperties('AWS::Lambda::Function', { Timeout: 120 });
    template.hasResourceProperties('AWS::SQS::Queue', { RedrivePolicy: Match.anyValue(), VisibilityTimeout: 6 * 120 });
  });

  test('are encrypted, keep messages for 14 days, and require TLS', () => {
    template.allResourcesProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * DAY,
    });
    template.resourceCountIs('AWS::SQS::Queue', 2);
    template.resourceCountIs('AWS::SQS::QueuePolicy', 2);
    template.allResourcesProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: { Statement: Match.arrayWith([TLS_ONLY]) },
    });
  });
});

test('source buckets share one statement of the queue’s policy', () => {
  const sourceBuckets = Array.from({ length: 50 }, (_, index) => `photos-${index}`);
  const policies = Object.values(templateOf({ sourceBuckets }).findResources('AWS::SQS::QueuePolicy'));
  expect(policies.map(({ Properties }) => Properties.PolicyDocument.Statement.length).toSorted()).toEqual([1, 2]);
});

test('source buckets, and no others, may send their object-created events to the queue', () => {
  const allowed = Match.objectLike({
    Effect: 'Allow',
    Action: 'sqs:SendMessage',
    Principal: { Service: 's3.amazonaws.com' },
    Condition: Match.objectLike({ StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } }),
  });
  templateOf({ sourceBuckets: ['photos'] }).hasResourceProperties('AWS::SQS::QueuePolicy', {
    PolicyDocument: { Statement: Match.arrayWith([TLS_ONLY, allowed]) },
  });
  expect(JSON.stringify(template.findResources('AWS::SQS::QueuePolicy'))).not.toContain('s3.amazonaws.com');
});

describe('worker', () => {
  test('is a zip for the current Node on one vCPU, with room for TensorFlow', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      MemorySize: 1_769,
      EphemeralStorage: { Size: 1_024 },
      Code: { S3Bucket: Match.anyValue(), S3Key: Match.anyValue() },
    });
  });

  test('may send messages to its own queue, which Lambda would take for a loop', () => {
    templateOf({ api: {}, chatbot: {} }).resourcePropertiesCountIs(
      'AWS::Lambda::Function',
      { Handler: 'index.handler', RecursiveLoop: 'Allow' },
      1,
    );
    templateOf({ api: {}, chatbot: {} }).resourcePropertiesCountIs(
      'AWS::Lambda::Function',
      { RecursiveLoop: 'Allow' },
      1,
    );
  });
  test.each([
    ['x86_64', PRICES.lambdaGbSecond, PRICES.lambdaGbSecondArm],
    ['arm64', PRICES.lambdaGbSecondArm, PRICES.lambdaGbSecond],
  ])(
    'runs on %s when configured, like API, chatbot and sweep, and is priced accordingly',
    (architecture, price, other) => {
      const made = templateOf({ architecture, memoryMb: 2_048, api: {}, chatbot: {} });
      made.resourceCountIs('AWS::Lambda::Function', 4);
      made.allResourcesProperties('AWS::Lambda::Function', { Architectures: [architecture] });
      const dashboard = JSON.stringify(made.findResources('AWS::CloudWatch::Dashboard'));
      const perMillisecond = (gbSecond: number) => ((2 * gbSecond) / 1_000).toFixed(14);
      expect(dashboard).toContain(`worker_ms * ${perMillisecond(price)} `);
      expect(dashboard).not.toContain(perMillisecond(other));
    },
  );

  test('reserves no concurrency, so that throttling sends nothing to the DLQ', () => {
    template.hasResourceProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: Match.absent() });
  });

  test('reports which messages of a batch failed, and runs 8 at once on a new account', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 8 },
      MaximumBatchingWindowInSeconds: Match.absent(),
    });
  });

  test('takes batch, window and concurrency from the configuration', () => {
    templateOf({ batchSize: 100, batchWindowSeconds: 5, maximumConcurrency: 500 }).hasResourceProperties(
      'AWS::Lambda::EventSourceMapping',
      { BatchSize: 100, MaximumBatchingWindowInSeconds: 5, ScalingConfig: { MaximumConcurrency: 500 } },
    );
  });

  test('has provisioned pollers instead of a maximum concurrency when configured', () => {
    templateOf({ provisionedPollers: { minimum: 2, maximum: 20 } }).hasResourceProperties(
      'AWS::Lambda::EventSourceMapping',
      { ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 20 }, ScalingConfig: Match.absent() },
    );
  });

  test('may read images of its own bucket and of the configured ones', () => {
    templateOf({ sourceBuckets: ['photos', 'scans'] }).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { SOURCE_BUCKETS: { 'Fn::Join': ['', [Match.anyValue(), ',photos,scans']] } } },
    });
  });

  test('loads its model from the configured place', () => {
    const model = { s3Uri: 's3://models/ours/', sha256: 'a'.repeat(64) };
    templateOf({ model }).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ MODEL_S3_URI: model.s3Uri, MODEL_SHA256: model.sha256 }) },
    });
  });

  test('trusts its model only when the configuration does', () => {
    const model = { s3Uri: 's3://models/ours/', sha256: 'a'.repeat(64) };
    const trusting = { Environment: { Variables: Match.objectLike({ MODEL_TRUSTED: 'true' }) } };
    templateOf({ model: { ...model, trusted: true } }).hasResourceProperties('AWS::Lambda::Function', trusting);
    templateOf({ model }).resourcePropertiesCountIs('AWS::Lambda::Function', trusting, 0);
  });

  test('starts with the settings that its process needs', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2' }) },
    });
  });
});

describe('results bucket', () => {
  test('is encrypted, not public, requires TLS, and outlives the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([TLS_ONLY]) },
    });
  });

  test('keeps results forever by default', () => {
    const rules = (config: object) =>
      Object.values(templateOf(config).findResources('AWS::S3::Bucket'))[0]?.['Properties'].LifecycleConfiguration
        .Rules;
    const expiring = (config: object) =>
      rules(config)
        .filter(({ ExpirationInDays }: { ExpirationInDays?: number }) => ExpirationInDays !== undefined)
        .map(({ Prefix, ExpirationInDays }: { Prefix: string; ExpirationInDays: number }) => [
          Prefix,
          ExpirationInDays,
        ]);
    expect(expiring({})).toEqual([['athena/', 7]]);
    expect(expiring({ resultsExpireAfterDays: 90 })).toEqual([
      ['athena/', 7],
      ['results/', 90],
      ['failures/', 90],
      ['jobs/', 90],
      ['runs/', 90 + 15],
      ['cancelled/', 90 + 15],
    ]);
  });
});

test('logs are kept for the configured time', () => {
  templateOf({ logRetentionDays: 7 }).hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
});

describe('tables', () => {
  test.each(['results', 'failures', 'runs'])('of %s find the partition of a job by themselves', (name) => {
    template.hasResourceProperties('AWS::Glue::Table', {
      TableInput: {
        Name: name,
        PartitionKeys: [{ Name: 'job', Type: 'string' }],
        Parameters: { 'projection.enabled': 'true', 'projection.job.type': 'injected' },
      },
    });
  });

  test('include the queries of samples/queries.sql and a workgroup that encrypts its results', () => {
    const queries = Object.values(template.findResources('AWS::Athena::NamedQuery'));
    const names = queries.map(({ Properties }) => Properties.Name);
    expect(names).toEqual(expect.arrayContaining(['classified', 'failed', 'images-per-label', 'failures-by-host']));
    for (const { Properties } of queries) expect(Properties.QueryString).not.toMatch(/BUCKET|read_json|^--/m);
    template.hasResourceProperties('AWS::Athena::WorkGroup', {
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
      },
    });
  });

  test('can be left out', () => {
    const without = templateOf({ athena: false });
    without.resourceCountIs('AWS::Glue::Table', 0);
    without.resourceCountIs('AWS::Athena::WorkGroup', 0);
  });
});

describe('alarms', () => {
  test('go to a topic that CloudWatch may publish to, and to the configured address', () => {
    const withEmail = templateOf({ alarmEmail: 'operator@example.com' });
    withEmail.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'operator@example.com' });
    withEmail.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ]),
      },
    });
    withEmail.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
  });

  test('and the dashboard include invocations that Lambda dropped as recursive', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'RecursiveInvocationsDropped',
      Namespace: 'AWS/Lambda',
      Statistic: 'Sum',
      Threshold: 0,
      Dimensions: [Match.objectLike({ Name: 'FunctionName' })],
    });
    expect(JSON.stringify(template.findResources('AWS::CloudWatch::Dashboard'))).toContain(
      'RecursiveInvocationsDropped',
    );
  });

  test('have the configured thresholds', () => {
    const strict = templateOf({ oldestMessageAlarmMinutes: 10, failureShareAlarm: 0.05 });
    strict.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ApproximateAgeOfOldestMessage',
      Threshold: 600,
    });
    strict.hasResourceProperties('AWS::CloudWatch::Alarm', { Metrics: Match.anyValue(), Threshold: 0.05 });
  });
});

test('outputs name everything that the command reads', () => {
  expect(Object.keys(template.findOutputs('*'))).toEqual(
    expect.arrayContaining(['QueueUrl', 'DeadLetterQueueUrl', 'ResultsBucketName']),
  );
});
