import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { MAX_BATCH_ENTRIES } from '../contract/limits.ts';
import type { JobTarget } from './job-target.ts';

/** A message of the DLQ. */
export type DeadLetter = {
  body: string;
  /** Why the worker moved it there, if it said so. */
  reason: string | undefined;
  sentAt: Date;
};

/** How long a letter is hidden from others while the rest is looked at; an interrupted scan ends so. */
const HIDDEN_SECONDS = 120;
/** Not 0: fauxqs with its data on disk fails at that (2.4.1, a NOT NULL constraint of its own). */
const PUT_BACK_SECONDS = 1;
/** SQS may answer from a part of its servers, so that one empty answer proves nothing. */
const EMPTY_ANSWERS_UNTIL_END = 2;
const POLL_SECONDS = 1;

/**
 * Looks at each message of the DLQ once. Those that `handle` says `true` of are deleted; the others
 * are put back untouched at the end, or by themselves after two minutes when this is interrupted.
 *
 * @param handle does what has to be done before the letter may be deleted; of ten letters at once
 * @returns how many were deleted
 */
export async function scanDeadLetters(
  target: JobTarget,
  handle: (letter: DeadLetter) => Promise<boolean>,
): Promise<number> {
  const kept: Message[] = [];
  let deleted = 0;
  for (let emptyAnswers = 0; emptyAnswers < EMPTY_ANSWERS_UNTIL_END; ) {
    const letters = await receive(target);
    if (letters.length === 0) emptyAnswers++;
    const verdicts = await Promise.all(letters.map((letter) => handle(toDeadLetter(letter))));
    kept.push(...letters.filter((_, index) => !verdicts[index]));
    deleted += await remove(
      target,
      letters.filter((_, index) => verdicts[index]),
    );
  }
  await putBack(target, kept);
  return deleted;
}

async function receive({ sqs, deadLetterQueueUrl }: JobTarget): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: deadLetterQueueUrl,
      MaxNumberOfMessages: MAX_BATCH_ENTRIES,
      VisibilityTimeout: HIDDEN_SECONDS,
      WaitTimeSeconds: POLL_SECONDS,
      MessageSystemAttributeNames: ['SentTimestamp'],
      MessageAttributeNames: ['reason'],
    }),
  );
  return Messages;
}

function toDeadLetter({ Body = '', Attributes, MessageAttributes }: Message): DeadLetter {
  return {
    body: Body,
    reason: MessageAttributes?.['reason']?.StringValue,
    sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)),
  };
}

async function remove({ sqs, deadLetterQueueUrl }: JobTarget, letters: readonly Message[]): Promise<number> {
  if (letters.length === 0) return 0;
  const Entries = letters.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  const command = new DeleteMessageBatchCommand({ QueueUrl: deadLetterQueueUrl, Entries });
  const { Failed = [] } = await sqs.send(command);
  return letters.length - Failed.length;
}

async function putBack({ sqs, deadLetterQueueUrl }: JobTarget, letters: readonly Message[]): Promise<void> {
  for (let start = 0; start < letters.length; start += MAX_BATCH_ENTRIES) {
    const Entries = letters
      .slice(start, start + MAX_BATCH_ENTRIES)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: PUT_BACK_SECONDS }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: deadLetterQueueUrl, Entries }));
  }
}
