import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { UserError } from '../shared/contract/user-error.ts';
import { mayPass, SqsOutage } from './sqs-outage.ts';

/** A fleet outlives a short outage; a wrong endpoint does not look different at first. */
const START_PATIENCE_MS = 300_000;

/** The queue or the bucket cannot be used as it is. */
export class WorkTargetError extends UserError {
  override readonly name = 'WorkTargetError';
}

/**
 * Asks for the queue before anything is started, so that a wrong name shows at once.
 *
 * @returns its visibility timeout in seconds
 * @throws {WorkTargetError} when the timeout hides no message; SQS's own error when it refuses
 */
export async function visibilityTimeoutOf(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['VisibilityTimeout'] }),
  );
  const seconds = Number(Attributes['VisibilityTimeout']);
  if (seconds >= 1) return seconds;
  throw new WorkTargetError(
    `expected a queue that hides a message for at least a second after it was received, the visibility timeout of ${queueUrl} is ${Attributes['VisibilityTimeout'] ?? 'unknown'}: set it to 720`,
  );
}

/** @throws {WorkTargetError} when there is no such bucket. Whether it may be looked at is another matter: a worker only writes. */
export async function checkBucket(s3: S3Client, bucket: string): Promise<void> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
    if ($metadata?.httpStatusCode === 404) {
      throw new WorkTargetError(`there is no bucket ${bucket}: check RESULTS_BUCKET, AWS_REGION and the account`);
    }
    if ($metadata?.httpStatusCode === undefined) throw error;
  }
}

/** How long the start waits for AWS. */
export type PatienceOptions = {
  /** What is called, for the notice. */
  service: string;
  onNotice: (text: string) => void;
  signal: AbortSignal;
};

/**
 * Makes a call of AWS again while its error may pass, for five minutes.
 *
 * @throws what does not pass, and the last error at the end of that time or at the signal
 */
export async function patiently<Answer>(
  call: () => Promise<Answer>,
  { service, onNotice, signal }: PatienceOptions,
): Promise<Answer> {
  const outage = new SqsOutage({ onNotice, service });
  const until = performance.now() + START_PATIENCE_MS;
  for (;;) {
    try {
      const answer = await call();
      outage.succeeded();
      return answer;
    } catch (error) {
      if (!mayPass(error) || signal.aborted || performance.now() > until) throw error;
      await outage.failed(error, signal);
    }
  }
}
