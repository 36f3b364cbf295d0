import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Queue, type QueuePolicy } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { queueEncryption } from '../encryption.ts';
import type { ServiceConfig } from '../service-config.ts';
import { allowEventsOf } from './policies.ts';

/** SQS keeps no message longer; a message in the DLQ counts from when it was first sent. */
export const RETENTION = Duration.days(14);

/** The queue of images, and its dead-letter queue. */
export type Queues = { readonly queue: Queue; readonly deadLetterQueue: Queue };

/**
 * The queue of images, and the dead-letter queue for permanent failures. They outlive their stack, with their
 * policies: messages in them are images without an outcome.
 */
export class JobQueues extends Construct implements Queues {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, config: ServiceConfig) {
    super(scope, id);
    const kept = {
      ...queueEncryption(config.encryptionKey),
      enforceSSL: true,
      retentionPeriod: RETENTION,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    };
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', kept);
    this.queue = new Queue(this, 'Queue', {
      ...kept,
      visibilityTimeout: visibilityTimeout(config),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
    // The queue's policy is the stack's: one that is added by hand would be in its place.
    allowEventsOf(config.sourceBuckets, this.queue);
    for (const queue of [this.queue, this.deadLetterQueue]) keepPolicy(queue);
  }
}

/**
 * Six times the function's timeout, and the batch window on top: a message is hidden while Lambda waits for others.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
function visibilityTimeout({ batchWindowSeconds }: ServiceConfig): Duration {
  return Duration.seconds(VISIBILITY_TIMEOUT_SECONDS + batchWindowSeconds);
}

/** A queue that is kept without its policy would take messages without TLS. */
function keepPolicy(queue: Queue): void {
  (queue.node.findChild('Policy') as QueuePolicy).applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
}
