import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeAll, expect, test } from '@jest/globals';
import { stageConfig } from '../../infra/stage-config.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { startMotoServer } from '../support/moto-server.ts';
import { motoClientConfig } from '../support/moto-stack.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const TEMPLATE = join(import.meta.dirname, '../../samples/topics-and-rules/to-queue.yaml');
const OWN = { v: 1, job: 'shop', attempt: 1, images: [{ id: '1', url: 'https://host.example/ü "1".jpg' }] };
const READ = { job: 'shop', attempt: 1, images: OWN.images };

const [moto] = await sharedByTests(startMotoServer());
let sqs: SQSClient;
let sns: SNSClient;
let events: EventBridgeClient;
let topic: string;
let rule: string;
const queues: Record<string, { url: string; arn: string }> = {};

beforeAll(async () => {
  const config = motoClientConfig(moto);
  sqs = createSqsClient(config);
  [sns, events] = [new SNSClient(config), new EventBridgeClient(config)];
  for (const name of ['images', 'enveloped']) queues[name] = await createQueue(name);
  const cloudFormation = new CloudFormationClient(config);
  const StackName = 'labelqueue-producers';
  const Parameters = [{ ParameterKey: 'QueueArn', ParameterValue: queues['images']?.arn }];
  const TemplateBody = readFileSync(TEMPLATE, 'utf8');
  await cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody, Parameters }));
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
  const output = (name: string) =>
    Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue ?? `no ${name}`;
  [topic, rule] = [output('TopicArn'), output('RuleArn')];
  // moto's CloudFormation makes topics and rules, and leaves subscriptions out.
  await subscribe('images', { RawMessageDelivery: 'true' });
}, 300_000);

async function createQueue(QueueName: string): Promise<{ url: string; arn: string }> {
  const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }));
  return { url, arn: Attributes?.QueueArn ?? '' };
}

async function subscribe(queue: string, Attributes: Record<string, string>): Promise<void> {
  const subscription = { TopicArn: topic, Protocol: 'sqs', Endpoint: queues[queue]?.arn, Attributes };
  await sns.send(new SubscribeCommand(subscription));
}

/** The body of the only message of a queue. */
async function received(queue: string): Promise<string> {
  const QueueUrl = queues[queue]?.url;
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 10 });
  const { Messages = [] } = await sqs.send(command);
  expect(Messages).toHaveLength(1);
  const [{ Body = '', ReceiptHandle } = {}] = Messages;
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Body;
}

async function putEvent(detail: object, detailType = 'Images to label'): Promise<void> {
  const entry = { Source: 'shop', DetailType: detailType, Detail: JSON.stringify(detail) };
  await events.send(new PutEventsCommand({ Entries: [entry] }));
}

test('a stage accepts both as producers', () => {
  expect(stageConfig('test', { allowProducers: [topic, rule] }).allowProducers).toEqual([topic, rule]);
});

test('the template asks SNS for the message as it was published', () => {
  expect(readFileSync(TEMPLATE, 'utf8')).toMatch(
    /AWS::SNS::Subscription[\s\S]*Endpoint: !Ref QueueArn[\s\S]*RawMessageDelivery: true/,
  );
});

test('the worker reads what is published to the topic', async () => {
  await sns.send(new PublishCommand({ TopicArn: topic, Message: JSON.stringify(OWN) }));
  const body = await received('images');
  expect(JSON.parse(body)).toEqual(OWN);
  expect(parseMessage(body)).toEqual(READ);
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'https://host.example/2.jpg' }));
  const url = 'https://host.example/2.jpg';
  expect(parseMessage(await received('images'))).toMatchObject({ job: 'default', images: [{ id: url, url }] });
});

test('without raw delivery, the worker reads it from the envelope of SNS', async () => {
  await subscribe('enveloped', {});
  await sns.send(new PublishCommand({ TopicArn: topic, Message: JSON.stringify(OWN) }));
  await received('images');
  const body = await received('enveloped');
  expect(JSON.parse(body)).toMatchObject({ Type: 'Notification', TopicArn: topic });
  expect(parseMessage(body)).toEqual(READ);
});

test('the worker reads the detail of an event, and gets no other events', async () => {
  await putEvent(OWN, 'Something else');
  await putEvent(OWN);
  expect(parseMessage(await received('images'))).toEqual(READ);
});
