import { SqsQueue } from '../local/fauxqs-parts.ts';

/**
 * Long polls of dead-letter queues end early in tests. A scan of the DLQ ends after two empty responses, each of them after a
 * long poll of a second. The embedded SQS looks at all its messages for every response, so only a letter that becomes visible
 * meanwhile could be found later: a test of such letters sets the time that it needs.
 */
export const deadLetterPolls = { longestSeconds: 0.02 };

const { waitForMessages } = SqsQueue.prototype;

SqsQueue.prototype.waitForMessages = function waitShortly(seconds) {
  const longest = this.name.includes('-dlq') ? deadLetterPolls.longestSeconds : seconds;
  return waitForMessages.call(this, Math.min(seconds, longest));
};
