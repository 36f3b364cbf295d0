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
  /** Of a job that was cancelled: nothing is written of them. */
  cancelled: number;
  /** To be sent again with the same attempt. */
  notReached: ImageRef[];
};

export type SettlementContext = { model: ModelId; retryBaseSeconds: number; now: Date; random: number };

/** Decides what becomes of each image of a message; nothing is written yet. */
export function settlementOf(
  message: QueueMessage,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  context: SettlementContext,
): Settlement {
  const settlement: Settlement = {
    message,
    results: [],
    failures: [],
    retries: new Map(),
    retryCodes: new Map(),
    cancelled: 0,
    notReached: [],
  };
  for (const [image, outcome] of outcomes) {
    const origin: LineOrigin = { job: message.job, image, attempt: message.attempt, at: context.now };
    if (outcome === 'not_reached') settlement.notReached.push(image);
    else if (outcome === 'cancelled') settlement.cancelled++;
    else if (outcome instanceof ImageError) settleError(settlement, origin, outcome, context);
    else settlement.results.push(resultLine(origin, outcome.labels, context.model, outcome.image));
  }
  return settlement;
}

function settleError(
  { failures, retries, retryCodes }: Settlement,
  origin: LineOrigin,
  error: ImageError,
  { retryBaseSeconds, random }: SettlementContext,
): void {
  const { image, attempt } = origin;
  if (!error.retryable || attempt === MAX_ATTEMPTS) {
    failures.push({ line: failureLine(origin, error.report()), image });
    return;
  }
  const delay = retryDelaySeconds(attempt, retryBaseSeconds, error.retryAfterSeconds, random);
  const together = retries.get(delay);
  if (together === undefined) retries.set(delay, [image]);
  else together.push(image);
  retryCodes.set(error.code, (retryCodes.get(error.code) ?? 0) + 1);
}
