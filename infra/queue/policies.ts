import { Aws } from 'aws-cdk-lib';
import { ArnPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';

/**
 * Lets buckets send their object-created events. One statement for all of them: SQS takes 20 statements and 8,192 bytes
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html).
 */
export function allowEventsOf(buckets: readonly string[], queue: Queue): void {
  if (buckets.length === 0) return;
  const arns = buckets.map((bucket) => `arn:${Aws.PARTITION}:s3:::${bucket}`);
  queue.addToResourcePolicy(eventsOf(arns, queue));
}

/** @param arns of the buckets: a list, or what stands in a template for one */
export function eventsOf(arns: unknown, queue: Queue): PolicyStatement {
  return new PolicyStatement({
    principals: [new ServicePrincipal('s3.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: {
      ArnEquals: { 'aws:SourceArn': arns },
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
    },
  });
}

/** Services whose topics and rules may be producers, by how the ARNs of these begin after the partition. */
const SERVICES: Readonly<Record<string, string>> = { sns: 'sns.amazonaws.com', events: 'events.amazonaws.com' };

/**
 * Lets other accounts, roles, users, topics and rules send messages.
 *
 * @param producers accounts and ARNs
 */
export function allowProducers(producers: readonly string[], queue: Queue): void {
  const principals = producers.filter((producer) => serviceOf(producer) === undefined);
  if (principals.length > 0) {
    queue.addToResourcePolicy(
      new PolicyStatement({
        principals: principals.map((producer) => new ArnPrincipal(arnOf(producer))),
        actions: ['sqs:SendMessage', 'sqs:GetQueueUrl'],
        resources: [queue.queueArn],
      }),
    );
  }
  for (const service of Object.values(SERVICES)) {
    const sources = producers.filter((producer) => serviceOf(producer) === service);
    if (sources.length > 0) queue.addToResourcePolicy(sentBy(service, sources, queue));
  }
}

/**
 * The ARN names the account. `aws:SourceAccount` is not asked for beside it: AWS's examples for SNS and EventBridge do without,
 * and a condition on a key that a service does not send refuses each message.
 * https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
 */
function sentBy(service: string, sources: readonly string[], queue: Queue): PolicyStatement {
  return new PolicyStatement({
    principals: [new ServicePrincipal(service)],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: { ArnEquals: { 'aws:SourceArn': sources } },
  });
}

/** Undefined for accounts, roles and users. */
function serviceOf(producer: string): string | undefined {
  const [, , service = ''] = producer.split(':');
  return Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
}

function arnOf(producer: string): string {
  return producer.startsWith('arn:') ? producer : `arn:${Aws.PARTITION}:iam::${producer}:root`;
}
