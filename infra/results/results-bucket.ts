import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type LifecycleRule, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { RETENTION } from '../queue/job-queues.ts';

export type ResultsBucketProps = {
  /** Of results and failures; kept forever without. */
  expireAfterDays: number | undefined;
  /** Undefined for a key of S3's own. */
  key: IKey | undefined;
};

/** Result and failure lines and the jobs' descriptions. It outlives its stack: results are what was paid for. */
export class ResultsBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { expireAfterDays, key }: ResultsBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      ...(key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : // With a key of the bucket's own in between, KMS is not asked for each object.
          { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        { id: 'answers-of-athena', prefix: ATHENA_PREFIX, expiration: Duration.days(7) },
        ...(expireAfterDays === undefined
          ? []
          : [
              ...['results/', 'failures/', 'jobs/'].map(expiring(expireAfterDays)),
              ...['runs/', 'cancelled/'].map(expiring(expireAfterDays + MESSAGES_LIVE_DAYS)),
            ]),
      ],
    });
    // A bucket that is kept without its policy would take requests without TLS.
    this.bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason:
        'A log line for each part file would need a second bucket and tell what CloudTrail tells with data events turned on.',
    });
  }
}

/**
 * Marks of a run are older than its last line and have to outlast it, by no more than a message can wait: what SQS keeps,
 * and a day since S3 counts days from midnight.
 */
const MESSAGES_LIVE_DAYS = RETENTION.toDays() + 1;

/** Where Athena writes what its queries find. */
export const ATHENA_PREFIX = 'athena/';

function expiring(days: number): (prefix: string) => LifecycleRule {
  return (prefix) => ({ id: `old-${prefix.slice(0, -1)}`, prefix, expiration: Duration.days(days) });
}
