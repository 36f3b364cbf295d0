import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Messages of a queue by state, as SQS counts them: approximate, accurate about a minute after the last change. */
export type QueueCounts = {
  waiting: number;
  /** Received, and neither deleted nor visible again. */
  inFlight: number;
  /** Retries, until their delay is over. */
  delayed: number;
};

/** Reads the counts of a queue. @throws the error of SQS */
export async function queueCounts(sqs: SQSClient, QueueUrl: string, abortSignal?: AbortSignal): Promise<QueueCounts> {
  const command = new GetQueueAttributesCommand({
    QueueUrl,
    AttributeNames: [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ],
  });
  const { Attributes: found = {} } = await sqs.send(command, abortSignal && { abortSignal });
  return {
    waiting: Number(found['ApproximateNumberOfMessages'] ?? 0),
    inFlight: Number(found['ApproximateNumberOfMessagesNotVisible'] ?? 0),
    delayed: Number(found['ApproximateNumberOfMessagesDelayed'] ?? 0),
  };
}
