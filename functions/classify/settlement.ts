import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { type ErrorCode, ImageError } from '../../shared/contract/error-codes.ts';
import { MAX_ATTEMPTS } from '../../shared/contract/limits.ts';
import type { ImageRef, QueueMessage } from '../../shared/contract/message.ts';
import {
  type FailureLine,
  failureLine,
  type LineOrigin,
  type ModelId,
  type ResultLine,
  resultLine,
} from '../../shared/contract/result-line.ts';
import { retryDelaySeconds } from './retry-delay.ts';

/** What has to be written and sent before a message may be acknowledged. Each image is in one place. */
export type Settlement = {
  message: QueueMessage;
  results: ResultLine[];
  failures: { line: FailureLine; image: ImageRef }[];
  /** By delay in seconds; to be sent with the next attempt. */
  retries: Map<number, ImageRef[]>;
  /** Why images are retried, with how many of them. */
  retryCodes: Map<ErrorCode, number>;
  /** To be sent again with the same attempt. */
  notReached: ImageRef[];
};

export type SettlementContext = { model: ModelId; retryBaseSeconds: number; now: Date; random: number };

/** Decides what becomes of each image of a message; nothing is written yet. */
export function settlementOf(
  message: QueueMessage,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  { model, retryBaseSeconds, now, random }: SettlementContext,
): Settlement {
  const { job, attempt } = message;
  const settlement: Settlement = {
    message,
    results: [],
    failures: [],
    retries: new Map(),
    retryCodes: new Map(),
    notReached: [],
  };
  for (const [image, outcome] of outcomes) {
    const origin: LineOrigin = { job, image, attempt, at: now };
    if (outcome === 'not_reached') {
      settlement.notReached.push(image);
    } else if (!(outcome instanceof ImageError)) {
      settlement.results.push(resultLine(origin, outcome.labels, model, outcome.image));
    } else if (outcome.retryable && attempt < MAX_ATTEMPTS) {
      settlement.retryCodes.set(outcome.code, (settlement.retryCodes.get(outcome.code) ?? 0) + 1);
      const delay = retryDelaySeconds(attempt, retryBaseSeconds, outcome.retryAfterSeconds, random);
      const together = settlement.retries.get(delay);
      if (together === undefined) settlement.retries.set(delay, [image]);
      else together.push(image);
    } else {
      settlement.failures.push({ line: failureLine(origin, outcome.report()), image });
    }
  }
  return settlement;
}
