import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, type QueuePolicy } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { queueEncryption } from '../encryption.ts';
import type { StageConfig } from '../stage-config.ts';
import { allowEventsOf, allowProducers } from './policies.ts';

/** SQS keeps no message longer; a message in the DLQ counts from when it was first sent. */
export const RETENTION = Duration.days(14);

/**
 * The queue of images, and the dead-letter queue for those that no retry will mend. They outlive their stack, with their
 * policies: messages in them are images without an outcome.
 */
export class JobQueues extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  /** @param key undefined for keys of SQS's own */
  constructor(scope: Construct, id: string, config: StageConfig, key: IKey | undefined) {
    super(scope, id);
    const kept = {
      ...queueEncryption(key),
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
    allowProducers(config.allowProducers ?? [], this.queue);
    for (const queue of [this.queue, this.deadLetterQueue]) keepPolicy(queue);
  }
}

/**
 * Six times the function's timeout, and the batch window on top: a message is hidden while Lambda waits for others.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
function visibilityTimeout({ batchWindowSeconds }: StageConfig): Duration {
  return Duration.seconds(VISIBILITY_TIMEOUT_SECONDS + batchWindowSeconds);
}

/** A queue that is kept without its policy would take messages without TLS. */
function keepPolicy(queue: Queue): void {
  (queue.node.findChild('Policy') as QueuePolicy).applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
}
