/** The construct in an app of somebody else. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Tracing } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { build } from 'esbuild';
import { LabelQueue, type LabelQueueProps } from '../../infra/index.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { actionsOf, type CalledAction } from '../support/called-actions.ts';
import { runCommand } from '../support/command.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';
import { startTargetedFaults, type TargetedFaults } from '../support/targeted-faults.ts';
import { allows, rightsIn, type Statement } from './rights.ts';
import { nagged } from './rules.ts';
import { EVERYTHING } from './stages.ts';
import { templateOf } from './synthesized.ts';

/** Any folder does for code that no test runs. */
const code = () => Code.fromAsset(import.meta.dirname);

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

function stackWith(
  props: Partial<LabelQueueProps> | ((stack: Stack) => Partial<LabelQueueProps>) = {},
  outdir?: string,
) {
  const app = new App(outdir === undefined ? {} : { outdir });
  const stack = new Stack(app, 'Photos');
  const given = typeof props === 'function' ? props(stack) : props;
  const images = new LabelQueue(stack, 'Images', { code: code(), ...given });
  return { app, stack, images, template: () => Template.fromStack(stack) };
}

/** What updates of existing stacks would delete and make anew if it had another id. Recorded before there was a construct. */
const LOGICAL_IDS = [
  ['AWS::SQS::Queue', 'JobsQueue24944186'],
  ['AWS::SQS::Queue', 'JobsDeadLetterQueue8CC426EE'],
  ['AWS::SQS::QueuePolicy', 'JobsQueuePolicyDAC7BEBF'],
  ['AWS::SQS::QueuePolicy', 'JobsDeadLetterQueuePolicy473FEB30'],
  ['AWS::S3::Bucket', 'ResultsBucket46167C27'],
  ['AWS::S3::BucketPolicy', 'ResultsBucketPolicy9055CDCC'],
  ['AWS::Lambda::Function', 'ClassifyFunctionD38D458D'],
  ['AWS::Lambda::EventSourceMapping', 'ClassifyFunctionSqsEventSourcelabelqueuetestJobsQueue49F75A890FE352CB'],
  ['AWS::IAM::Role', 'ClassifyRoleFA475C24'],
  ['AWS::Logs::LogGroup', 'ClassifyLogs88DC4EE9'],
  ['AWS::Lambda::Function', 'SweepFunctionA7728703'],
  ['AWS::SNS::Topic', 'AlarmsTopic3A2DFEBA'],
] as const;

test.each([
  ['a usual stage', {}],
  ['a stage with everything', EVERYTHING],
])('resources of %s keep their logical ids in existing stacks', (_name, config) => {
  const resources = templateOf(config).toJSON()['Resources'] as Record<string, { Type: string }>;
  const found = LOGICAL_IDS.map(([, id]) => [resources[id]?.Type, id]);
  expect(found).toEqual(LOGICAL_IDS);
});

test('the entry imports the CDK, constructs, zod and the contract alone', async () => {
  const { metafile } = await build({
    ...{ absWorkingDir: join(import.meta.dirname, '../..'), entryPoints: ['infra/index.ts'], bundle: true },
    ...{ format: 'esm', platform: 'node', packages: 'external', outdir: folder.path, write: false, metafile: true },
  });
  const packages = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(packages.length).toBeGreaterThan(10);
  expect(packages.filter((path) => !/^(node:|aws-cdk-lib\b|constructs$|zod$)/.test(path))).toEqual([]);
  const files = Object.keys(metafile.inputs);
  expect(files.filter((path) => !/^(infra|shared)\//.test(path))).toEqual([]);
  expect(files.filter((path) => /^shared\/(?!contract\/|runtime\/|settings\.ts$)/.test(path))).toEqual([]);
});

test('cdk-nag finds nothing in the construct, whatever it is told', () => {
  const outdir = join(folder.path, 'nag');
  const { app, stack, images } = stackWith(
    (scope) => ({
      encryptionKey: new Key(scope, 'Key', { enableKeyRotation: true }),
      sourceBuckets: [Bucket.fromBucketName(scope, 'Scans', 'scans'), { bucketName: 'photos' }],
      model: { s3Uri: 's3://models/ours/', sha256: 'a'.repeat(64) },
      subnets: [{ subnetId: 'subnet-0123456789abcdef0' }],
      securityGroups: [{ securityGroupId: 'sg-0123456789abcdef0' }],
      allowedHosts: ['images.internal:8080'],
      tracing: Tracing.ACTIVE,
      resultsExpireAfter: Duration.days(30),
    }),
    outdir,
  );
  const role = new Role(stack, 'Analyst', { assumedBy: new ServicePrincipal('glue.amazonaws.com') });
  images.grantReadResults(role);
  images.grantEnqueue(role);
  expect(nagged(app, outdir)).toBe('');
});

test('two constructs of a stack share no alarm and no metric', () => {
  const { stack, template } = stackWith();
  new LabelQueue(stack, 'Scans', { code: code() });
  const alarms = Object.values(template().findResources('AWS::CloudWatch::Alarm'));
  const names = alarms.map(({ Properties }) => Properties.AlarmName as string);
  expect(new Set(names).size).toBe(alarms.length);
  expect(names).toEqual(expect.arrayContaining(['Photos-Images-FailureShare', 'Photos-Scans-FailureShare']));
  const workers = Object.values(template().findResources('AWS::Lambda::Function')).filter(
    ({ Properties }) => Properties.Handler === 'index.handler',
  );
  const services = workers.map(({ Properties }) => Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME);
  expect(services).toEqual(['Photos-Images', 'Photos-Scans']);
});

test('alarms go to a topic that nobody has subscribed to, unless an address is given', () => {
  const { images, template } = stackWith();
  template().resourceCountIs('AWS::SNS::Subscription', 0);
  expect(images.alarms.all).toHaveLength(Object.keys(template().findResources('AWS::CloudWatch::Alarm')).length);
  stackWith({ alarmEmail: 'operator@example.com' }).template().resourceCountIs('AWS::SNS::Subscription', 1);
});

test('the policy of a key of the same app lets CloudWatch Logs use it', () => {
  const { template } = stackWith((stack) => ({ encryptionKey: new Key(stack, 'Key') }));
  template().hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Principal: { Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.amazonaws.com']] } },
        }),
      ]),
    },
  });
  template().allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: Match.anyValue() });
});

describe('settings', () => {
  test.each<[Partial<LabelQueueProps>, string]>([
    [{ memoryMb: 128 }, 'memoryMb: '],
    [{ maximumConcurrency: 1 }, 'maximumConcurrency: '],
    [{ allowedHosts: ['images.internal:8080'] }, 'allowedHosts: expected a vpc, too'],
    [{ subnets: [{ subnetId: 'subnet-0123456789abcdef0' }] }, 'vpc.securityGroupIds: '],
    [{ batchSize: 100 }, 'batchWindowSeconds: expected at least 1'],
    [{ sourceBuckets: [{ bucketName: 'Photos!' }] }, 'sourceBuckets.0: expected the name of an S3 bucket'],
  ])('%j is refused with its name', (props, problem) => {
    expect(() => stackWith(props)).toThrow(`wrong settings of Photos/Images:\n  ${problem}`);
  });

  test('values that are known only at the deploy are taken as they are', () => {
    const { template } = stackWith((stack) => ({
      memoryMb: new CfnParameter(stack, 'Memory', { type: 'Number' }).valueAsNumber,
      topK: new CfnParameter(stack, 'TopK', { type: 'Number' }).valueAsNumber,
      sourceBuckets: [new Bucket(stack, 'Scans')],
    }));
    template().hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'index.handler',
      MemorySize: { Ref: 'Memory' },
      Environment: { Variables: { TOP_K: { Ref: 'TopK' } } },
    });
  });
});

describe('grants', () => {
  let aws: TestAws;
  let proxy: TargetedFaults;
  let calls: CalledAction[] = [];
  beforeAll(async () => {
    aws = await startTestAws();
    proxy = await startTargetedFaults(aws, (call) => calls.push(...actionsOf(call)));
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await aws.stop();
  });

  /** The rights that a role gets by a grant. */
  function granted(grant: 'grantEnqueue' | 'grantReadResults') {
    const { stack, images, template } = stackWith();
    images[grant](new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }));
    const [policy] = Object.entries(template().findResources('AWS::IAM::Policy')).filter(([id]) =>
      id.startsWith('Caller'),
    );
    return rightsIn(policy?.[1]['Properties'].PolicyDocument.Statement as Statement[]);
  }

  async function refused(grant: 'grantEnqueue' | 'grantReadResults', commands: readonly string[]) {
    calls = [];
    for (const line of commands) {
      const { code: exit, stderr } = await runCommand(line.split(' '), { environment: proxy.environment });
      expect({ line, exit, stderr }).toEqual({ line, exit: 0, stderr: expect.not.stringContaining('labelqueue:') });
    }
    const made = calls;
    expect(made.length).toBeGreaterThan(0);
    const rights = granted(grant);
    return made.filter((call) => !rights.some((right) => allows(right, call)));
  }

  test('grantEnqueue is enough to enqueue a list, and to resume it', async () => {
    const list = await folder.write('cats.txt', 'https://host/a.jpg\nhttps://host/missing.jpg\n');
    const twice = [`enqueue ${list} --job cats`, `enqueue ${list} --job cats --resume`];
    expect(await refused('grantEnqueue', twice)).toEqual([]);
  });

  test('grantReadResults is enough to read status, results and failures', async () => {
    await workQueueEmpty(aws, catsButMissing);
    expect(await refused('grantReadResults', ['status cats', 'results cats', 'failures cats'])).toEqual([]);
  });

  test('who enqueues can read no results, and who reads results can change nothing', () => {
    const enqueue = granted('grantEnqueue');
    expect(enqueue.map(({ resource }) => resource)).not.toContainEqual(expect.stringMatching(/results|failures/));
    const read = granted('grantReadResults').map(({ action }) => action);
    expect([...new Set(read)].toSorted()).toEqual(['s3:GetObject', 's3:ListBucket', 'sqs:GetQueueAttributes']);
  });
});
