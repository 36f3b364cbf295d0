import type { SqsQueue } from './fauxqs-parts.ts';

/** How many messages are in a queue, by state, and when the oldest of them was sent: milliseconds since 1970. */
export type QueueDepth = { waiting: number; inFlight: number; delayed: number; oldestSentAt: number | undefined };

/**
 * Visits each message of a standard queue without receiving it: SQS does not report the age of the oldest one,
 * CloudWatch does. A redelivered message is behind younger ones, so none can be skipped.
 */
export function queueDepth(queue: SqsQueue): QueueDepth {
  queue.processTimers();
  const { messages, inflightMessages, delayedMessages } = queue;
  let oldest = Number.POSITIVE_INFINITY;
  for (const { sentTimestamp } of messages) oldest = Math.min(oldest, sentTimestamp);
  for (const { sentTimestamp } of delayedMessages) oldest = Math.min(oldest, sentTimestamp);
  for (const { message } of inflightMessages.values()) oldest = Math.min(oldest, message.sentTimestamp);
  return {
    waiting: messages.length,
    inFlight: inflightMessages.size,
    delayed: delayedMessages.length,
    oldestSentAt: Number.isFinite(oldest) ? oldest : undefined,
  };
}
