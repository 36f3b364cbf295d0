import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { queueCounts } from '../../shared/jobs/queue-counts.ts';

/** How many messages the queue holds: visible, delayed and in flight. */
export async function messagesLeft({ sqs, queueUrl }: JobTarget): Promise<number> {
  const { waiting, inFlight, delayed } = await queueCounts(sqs, queueUrl);
  return waiting + inFlight + delayed;
}

/** Empties the DLQ, and says which images were in it. */
export async function takeDeadLetters({ sqs, deadLetterQueueUrl: QueueUrl }: JobTarget): Promise<Set<string>> {
  const ids = new Set<string>();
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return ids;
    for (const { Body = '' } of Messages) {
      const message = parseMessage(Body);
      if (message instanceof MalformedMessage) throw new Error(`unreadable dead letter: ${message.reason}`);
      for (const { id } of message.images) ids.add(id);
    }
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
