import { Aws } from 'aws-cdk-lib';
import { ArnPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';

/**
 * Lets buckets send their object-created events. One statement for all of them: SQS takes 20 statements and 8,192 bytes
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html).
 */
export function allowEventsOf(buckets: readonly string[], queue: Queue): void {
  if (buckets.length === 0) return;
  queue.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        ArnEquals: { 'aws:SourceArn': buckets.map((bucket) => `arn:${Aws.PARTITION}:s3:::${bucket}`) },
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      },
    }),
  );
}

/** Lets other accounts, roles and users send messages. @param producers accounts and ARNs */
export function allowProducers(producers: readonly string[], queue: Queue): void {
  if (producers.length === 0) return;
  queue.addToResourcePolicy(
    new PolicyStatement({
      principals: producers.map((producer) => new ArnPrincipal(arnOf(producer))),
      actions: ['sqs:SendMessage', 'sqs:GetQueueUrl'],
      resources: [queue.queueArn],
    }),
  );
}

function arnOf(producer: string): string {
  return producer.startsWith('arn:') ? producer : `arn:${Aws.PARTITION}:iam::${producer}:root`;
}
