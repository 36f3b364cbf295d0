import { createHash, randomUUID } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import { formatMessage, type QueueMessage } from '../shared/contract/message.ts';

/** A record as the worker gets it from Lambda. */
export function sqsRecord(body: string, receiveCount = 1): SQSRecord {
  const now = String(Date.now());
  return {
    messageId: randomUUID(),
    receiptHandle: randomUUID(),
    body,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: now,
      SenderId: 'AROAEXAMPLE:producer',
      ApproximateFirstReceiveTimestamp: now,
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:labelqueue',
    awsRegion: 'us-east-1',
  };
}

/** A record with a message of the product's own form. */
export function messageRecord(message: Partial<QueueMessage> & Pick<QueueMessage, 'images'>): SQSRecord {
  return sqsRecord(formatMessage({ job: 'job', attempt: 1, ...message }));
}
