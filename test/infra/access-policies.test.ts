/** The managed policies of a stage hold what the commands ask of AWS, and nothing else. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bucketsOf } from '../../dashboard/server/buckets.ts';
import { cloudWatchInsight } from '../../dashboard/server/cloudwatch-insight.ts';
import { MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { actionsOf, type CalledAction } from '../support/called-actions.ts';
import { runCommand } from '../support/command.ts';
import { receive, redeliver } from '../support/deliveries.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';
import { startTargetedFaults, type TargetedFaults } from '../support/targeted-faults.ts';
import { allows, type Right, rightsIn, type Statement } from './rights.ts';
import { templateOf } from './synthesized.ts';

const policiesOf = (config: object) => Object.entries(templateOf(config).findResources('AWS::IAM::ManagedPolicy'));
const ofAnyStage = policiesOf({});

/** Each action of a policy with each of its resources. */
function rightsOf(name: string, policies = ofAnyStage): Right[] {
  const policy = policies.find(([id]) => id.startsWith(`Access${name}`))?.[1];
  const statements = policy?.['Properties'].PolicyDocument.Statement as Statement[];
  return rightsIn(statements);
}

let aws: TestAws;
let folder: TemporaryFolder;
let proxy: TargetedFaults;
let calls: CalledAction[] = [];
const everCalled: CalledAction[] = [];

beforeAll(async () => {
  [aws, folder] = await Promise.all([startTestAws(), createTemporaryFolder()]);
  proxy = await startTargetedFaults(aws, (call) => {
    calls.push(...actionsOf(call));
    everCalled.push(...actionsOf(call));
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await aws.stop();
  await folder[Symbol.asyncDispose]();
});

async function labelqueue(line: string, expected = 0): Promise<void> {
  const { code, stderr } = await runCommand(line.split(' '), { environment: proxy.environment });
  expect({ line, code, stderr }).toEqual({ line, code: expected, stderr: expect.not.stringContaining('labelqueue:') });
}

/** Calls since the last look, for which a policy has no right. */
function refusedTo(name: string): CalledAction[] {
  const rights = rightsOf(name);
  const made = calls;
  calls = [];
  expect(made.length).toBeGreaterThan(0);
  return made.filter((call) => !rights.some((right) => allows(right, call)));
}

async function letSqsMoveAll(): Promise<void> {
  for (let delivery = 0; delivery < MAX_RECEIVE_COUNT; delivery++) await redeliver(aws, await receive(aws));
  await receive(aws);
}

test('an enqueuer may enqueue lists and folders, and wait for their jobs', async () => {
  const source = await folder.write('cats.txt', 'https://host/a.jpg\nhttps://host/missing.jpg\n');
  await mkdir(join(folder.path, 'photos'));
  await folder.write('photos/one.jpg', 'not looked at');
  await labelqueue(`enqueue ${source} --job cats`);
  await labelqueue(`enqueue ${folder.path}/photos --job photos`);
  await workQueueEmpty(aws, catsButMissing);
  await labelqueue('wait cats', 3);
  await labelqueue(`enqueue ${source} --job stranded`);
  await letSqsMoveAll();
  await labelqueue('wait stranded', 3);
  expect(refusedTo('Enqueuer')).toEqual([]);
});

test('a reader may read jobs and their lines', async () => {
  for (const line of ['status', 'status cats', 'results cats', 'failures cats', 'results cats --in-order']) {
    await labelqueue(line);
  }
  expect(refusedTo('Reader')).toEqual([]);
});

test('an operator may redrive, cancel and purge', async () => {
  await labelqueue('redrive cats');
  await labelqueue(`redrive --unreadable --out ${folder.path}/unreadable.jsonl`);
  await labelqueue('cancel cats');
  await labelqueue('purge cats --yes');
  await labelqueue('purge photos --yes');
  expect(refusedTo('Operator')).toEqual([]);
});

test('a reader may ask CloudWatch for what dashboard --stack shows', async () => {
  const asked: string[] = [];
  const send = async ({ constructor: { name } }: object) => {
    asked.push(`cloudwatch:${name.replace(/Command$/, '')}`);
    return {};
  };
  const client = { send } as unknown as CloudWatchClient;
  const { queueUrl, deadLetterQueueUrl } = aws.target;
  const insight = cloudWatchInsight({ queueUrl, deadLetterQueueUrl, stack: 'labelqueue-test', client });
  await insight.facts(Date.now());
  await insight.history?.(bucketsOf('1h', Date.now()));
  expect(asked).toHaveLength(3);
  const granted = rightsOf('Reader').map(({ action }) => action);
  expect(new Set(asked)).toEqual(new Set(granted.filter((action) => action.startsWith('cloudwatch:'))));
});

describe('with announced job ends', () => {
  const policies = policiesOf({ jobEvents: true });
  const on = (name: string, resource: string) =>
    rightsOf(name, policies).flatMap((right) => (right.resource === resource ? [right.action] : []));

  test('an operator may read undelivered job ends, and move them back', () => {
    // What SQS needs on the source of a move, and its log.
    expect(on('Operator', 'unannounced ends').toSorted()).toEqual([
      ...['sqs:CancelMessageMoveTask', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ListMessageMoveTasks'],
      ...['sqs:ReceiveMessage', 'sqs:StartMessageMoveTask'],
    ]);
    expect(on('Operator', 'looks')).toContain('sqs:SendMessage');
    const logs = rightsOf('Operator', policies).filter(({ action }) => action === 'logs:FilterLogEvents');
    expect(logs.map(({ resource }) => resource).join()).toMatch(/JobEventsLogs/);
  });

  test('no other identity may', () => {
    for (const name of ['Reader', 'Enqueuer']) expect(on(name, 'unannounced ends')).toEqual([]);
  });
});

test('each may do what the previous one may', () => {
  expect(rightsOf('Enqueuer')).toEqual(expect.arrayContaining(rightsOf('Reader')));
  expect(rightsOf('Operator')).toEqual(expect.arrayContaining(rightsOf('Enqueuer')));
});

test('a reader can change nothing, and an enqueuer can delete nothing', () => {
  const actions = (name: string) => [...new Set(rightsOf(name).map(({ action }) => action))].toSorted();
  expect(actions('Reader')).toEqual([
    ...['cloudformation:DescribeStacks', 'cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData'],
    ...['s3:GetObject', 's3:ListBucket', 'sqs:GetQueueAttributes'],
  ]);
  expect(actions('Enqueuer').filter((action) => /Delete|Purge/.test(action))).toEqual([]);
});

test('each permission on queues and bucket is used by a command', () => {
  const rights = rightsOf('Operator').filter(({ action }) => /^(sqs|s3):/.test(action));
  // Views of Athena read it, and no command does.
  const ofCommands = rights.filter(({ action, resource }) => action !== 's3:GetObject' || resource !== 'bucket/runs/*');
  const unused = ofCommands.filter((right) => !everCalled.some((call) => allows(right, call)));
  expect(unused).toEqual([]);
});

test('their ARNs are outputs', () => {
  expect(Object.keys(templateOf().findOutputs('*'))).toEqual(
    expect.arrayContaining(['ReaderPolicyArn', 'EnqueuerPolicyArn', 'OperatorPolicyArn']),
  );
});
