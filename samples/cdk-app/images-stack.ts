import { Stack, type StackProps } from 'aws-cdk-lib';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { LabelQueue } from 'labelqueue/cdk';

export type ImagesStackProps = StackProps & {
  /** The packaged worker. */
  code: Code;
};

/** A queue of images beside a function that fills it and a role that reads the results. */
export class ImagesStack extends Stack {
  constructor(scope: Construct, id: string, { code, ...props }: ImagesStackProps) {
    super(scope, id, props);
    const images = new LabelQueue(this, 'Images', { code, topK: 3, fetchUserAgent: 'photos/1.0 (photos@example.com)' });
    images.alarms.topic.addSubscription(new EmailSubscription('operator@example.com'));

    const producer = new LambdaFunction(this, 'Producer', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline(PRODUCER),
      environment: { QUEUE_URL: images.queue.queueUrl },
    });
    images.grantEnqueue(producer);

    const analyst = new Role(this, 'Analyst', { assumedBy: new AccountPrincipal(this.account) });
    images.grantReadResults(analyst);
  }
}

/** One message with one image. */
const PRODUCER = `
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
const sqs = new SQSClient();
exports.handler = ({ id, url }) =>
  sqs.send(new SendMessageCommand({
    QueueUrl: process.env.QUEUE_URL,
    MessageBody: JSON.stringify({ id, url }),
  }));
`;
