import type { Message } from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';

/** The event that Lambda makes of messages. */
export function eventOf(messages: readonly Message[]): SQSEvent {
  return { Records: messages.map(recordOf) };
}

function recordOf({ MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', ...message }: Message): SQSRecord {
  const attributes = message.Attributes ?? {};
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {
      ApproximateReceiveCount: attributes['ApproximateReceiveCount'] ?? '1',
      SentTimestamp: attributes['SentTimestamp'] ?? '0',
      SenderId: attributes['SenderId'] ?? '',
      ApproximateFirstReceiveTimestamp: attributes['ApproximateFirstReceiveTimestamp'] ?? '0',
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:labelqueue',
    awsRegion: 'us-east-1',
  };
}
