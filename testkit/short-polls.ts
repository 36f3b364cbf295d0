import { SqsQueue } from '../local/fauxqs-parts.ts';

/**
 * Long polls of dead-letter queues end early in tests. A scan of the DLQ ends after two empty responses, each of them after a
 * long poll of a second. The embedded SQS looks at all its messages for every response, so it has none to find later.
 */
const LONGEST_POLL_SECONDS = 0.02;
const { waitForMessages } = SqsQueue.prototype;

SqsQueue.prototype.waitForMessages = function waitShortly(seconds) {
  const isForDeadLetters = this.name.includes('-dlq');
  return waitForMessages.call(this, isForDeadLetters ? Math.min(seconds, LONGEST_POLL_SECONDS) : seconds);
};
