import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, expect, test } from '@jest/globals';
import { announcementOf } from '../../../functions/announce/announcement.ts';
import { awsAnnouncements } from '../../../functions/announce/aws-announcements.ts';
import { webhookSecretOf } from '../../../functions/announce/webhook-secret.ts';
import { type JobEnd, jobEndId } from '../../../shared/contract/job-end.ts';
import { newWebhookSecret } from '../../../shared/contract/standard-webhook.ts';
import { createSqsClient } from '../../../shared/jobs/sqs-client.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { anyRun } from '../../support/ended-run.ts';
import { startMotoServer } from '../../support/moto-server.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const SAMPLE = join(import.meta.dirname, '../../../samples/job-events/events-to-queue.yaml');
const run = anyRun();
const END: JobEnd = {
  ...{ v: 1, id: jobEndId({ ...run, generation: 0 }), ...run, generation: 0, state: 'completed' },
  ...{ images: 1, classified: 1, failed: 0, failedByCode: {}, withoutOutcome: 0 },
  ...{ costUsd: 0.1, computing: { workers: [], measuredShare: 1 } },
  ...{ startedAt: '2026-11-24T10:00:00.000Z', endedAt: '2026-11-24T10:01:00.000Z' },
  ...{ bucket: 'labelqueue', results: 'results/job=cats/', failures: 'failures/job=cats/' },
};

const [moto] = await sharedByTests(startMotoServer());
const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

test('the sample rule puts an event of EventBridge on its queue', async () => {
  Object.assign(process.env, moto.environment);
  const client = { endpoint: moto.endpoint };
  const cloudFormation = new CloudFormationClient(client);
  const TemplateBody = await readFile(SAMPLE, 'utf8');
  await cloudFormation.send(new CreateStackCommand({ StackName: 'ends', TemplateBody }));
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'ends' }));
  const QueueUrl = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'QueueUrl')?.OutputValue;

  await awsAnnouncements({ eventBus: 'default' }).eventBridge?.(END);
  const { Messages = [] } = await createSqsClient(client).send(new ReceiveMessageCommand({ QueueUrl }));
  const [event] = Messages.map(({ Body = '' }) => JSON.parse(Body));
  // moto puts the whole event into the queue, where EventBridge goes by the rule's InputPath.
  expect(event?.detail ?? event).toEqual(END);
}, 60_000);

test('a bus that refuses the event is an error', async () => {
  Object.assign(process.env, moto.environment, { AWS_MAX_ATTEMPTS: '1' });
  await expect(awsAnnouncements({ eventBus: 'no-such-bus' }).eventBridge?.(END)).rejects.toThrow();
});

test('a topic gets the body of a webhook, with attributes to filter by', async () => {
  await using aws = await startTestAws();
  Object.assign(process.env, aws.environment);
  const sns = new SNSClient(aws.clientConfig);
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'ends' }));
  const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:labelqueue';
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
  await awsAnnouncements({ topicArn: TopicArn }).topic?.(END);
  const [message] = aws.queued().map(({ body }) => JSON.parse(body));
  expect(message).toMatchObject({
    ...{ TopicArn, Subject: 'labelqueue: cats completed', Message: announcementOf(END) },
    MessageAttributes: { id: { Value: END.id }, job: { Value: 'cats' }, state: { Value: 'completed' } },
  });
});

test('nothing is sent when nothing is turned on', () => {
  expect(awsAnnouncements({})).toEqual({});
});

test('the webhook secret is read from the parameter, and an invalid one is an error that does not show it', async () => {
  Object.assign(process.env, moto.environment);
  const ssm = new SSMClient({ endpoint: moto.endpoint });
  const secret = newWebhookSecret();
  const parameters = { '/labelqueue/webhooks': secret, '/labelqueue/wrong': 'swordfish' };
  for (const [Name, Value] of Object.entries(parameters)) {
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
  }
  expect(await webhookSecretOf({ webhookSecretParameter: '/labelqueue/webhooks' })()).toBe(secret);
  const wrong = webhookSecretOf({ webhookSecretParameter: '/labelqueue/wrong' })();
  await expect(wrong).rejects.toThrow('in the parameter /labelqueue/wrong of SSM');
  await expect(wrong).rejects.not.toThrow('swordfish');
  await expect(webhookSecretOf({ webhookSecretParameter: '/labelqueue/none' })()).rejects.toThrow();
  expect(await webhookSecretOf({})()).toBeUndefined();
});
