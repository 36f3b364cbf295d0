import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';

/** SQS keeps no message longer; a message in the DLQ counts from when it was first sent. */
export const RETENTION = Duration.days(14);

/** The queue of images, and the dead-letter queue for those that no retry will mend. */
export class JobQueues extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  /** @param sourceBuckets may send their object-created events to the queue */
  constructor(scope: Construct, id: string, { sourceBuckets }: { sourceBuckets: readonly string[] }) {
    super(scope, id);
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: RETENTION,
    });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: RETENTION,
      visibilityTimeout: Duration.seconds(VISIBILITY_TIMEOUT_SECONDS),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
    for (const bucket of sourceBuckets) this.queue.addToResourcePolicy(eventsOf(bucket, this.queue));
  }
}

/** The queue's policy is the stack's: one that is added by hand would be in its place. */
function eventsOf(bucket: string, queue: Queue): PolicyStatement {
  return new PolicyStatement({
    principals: [new ServicePrincipal('s3.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: {
      ArnEquals: { 'aws:SourceArn': `arn:${Aws.PARTITION}:s3:::${bucket}` },
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
    },
  });
}
