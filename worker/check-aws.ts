import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { UserError } from '../shared/contract/user-error.ts';
import { mayPass, SqsOutage } from './sqs-outage.ts';

/** A fleet must survive a short outage; a wrong endpoint looks the same at first. */
const START_PATIENCE_MS = 300_000;

/** The queue or the bucket is not usable. */
export class WorkTargetError extends UserError {
  override readonly name = 'WorkTargetError';
}

/**
 * Looks up the queue before anything is started, so that a wrong name is reported immediately.
 *
 * @returns its visibility timeout in seconds
 * @throws {WorkTargetError} when the timeout is 0; the error of SQS when it rejects the request
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

/** @throws {WorkTargetError} when there is no such bucket. A missing permission to look at it is not an error: a worker only writes. */
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
  /** The name of the call, for the notice. */
  service: string;
  onNotice: (text: string) => void;
  signal: AbortSignal;
};

/**
 * Retries a call of AWS while its error is transient, for five minutes.
 *
 * @throws permanent errors, and the last error when the time is up or the signal is aborted
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
