import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import { MAX_ATTEMPTS, MAX_HOPS } from '../../shared/contract/limits.ts';
import { type ImageRef, maySendOn, type QueueMessage } from '../../shared/contract/message.ts';
import {
  classifiedLine,
  type FailureLine,
  failureLine,
  type LineOrigin,
  type ModelId,
  type ResultLine,
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
  /** By delay in seconds: images of hosts that have stopped answering, to be sent again with the same attempt. */
  putOff: Map<number, ImageRef[]>;
  /** Images that are expensive to decode and came after too many others, to be sent again with the same attempt. */
  decodeLater: { delaySeconds: number; images: ImageRef[] };
  /** Of a job that was cancelled: nothing is written of them. */
  cancelled: number;
  /** To be sent again with the same attempt. */
  notReached: ImageRef[];
};

export type PlanContext = { model: ModelId; retryBaseSeconds: number; now: Date; random: number };

/** Decides what becomes of each image of a message; nothing is written yet. */
export function planOutcomes(
  message: QueueMessage,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  context: PlanContext,
): Settlement {
  const settlement: Settlement = {
    message,
    results: [],
    failures: [],
    retries: new Map(),
    retryCodes: new Map(),
    putOff: new Map(),
    decodeLater: { delaySeconds: 0, images: [] },
    cancelled: 0,
    notReached: [],
  };
  const isLast = !maySendOn(message);
  for (const [image, given] of outcomes) {
    const outcome = isLast ? lastOutcome(given) : given;
    const { job, run, attempt } = message;
    const origin: LineOrigin = { job, run, image, attempt, at: context.now };
    if (outcome === 'not_reached') settlement.notReached.push(image);
    else if (outcome === 'cancelled') settlement.cancelled++;
    else if (outcome instanceof PutOff) putOff(settlement, image, outcome, context);
    else if (outcome instanceof ImageFailure) settleError(settlement, origin, outcome, context);
    else settlement.results.push(classifiedLine(origin, outcome, context.model));
  }
  return settlement;
}

/** The worker sends no image on for ever: at the end of its chain, one that was never fetched fails as well. */
function lastOutcome(outcome: ImageOutcome): ImageOutcome {
  if (outcome instanceof PutOff) return outcome.toFailure();
  if (outcome !== 'not_reached') return outcome;
  return new ImageFailure('timeout', `expected to reach this image in ${MAX_HOPS + 1} invocations, there was no time`);
}

/** Waits until trying it is not in vain, and like a retry: the longer, the more often the image was sent on. */
function putOff(
  { message: { hops = 0 }, putOff, decodeLater }: Settlement,
  image: ImageRef,
  { reason, seconds }: PutOff,
  { retryBaseSeconds, random }: PlanContext,
): void {
  const attemptsWorth = Math.min(hops + 1, MAX_ATTEMPTS - 1);
  const delay = retryDelaySeconds(attemptsWorth, retryBaseSeconds, seconds, random);
  if (reason === 'host_rests') {
    addTo(putOff, delay, image);
    return;
  }
  decodeLater.images.push(image);
  // They differ by moments, and a message for each moment would be too many.
  decodeLater.delaySeconds = Math.max(decodeLater.delaySeconds, delay);
}

function settleError(
  { message, failures, retries, retryCodes }: Settlement,
  origin: LineOrigin,
  error: ImageFailure,
  { retryBaseSeconds, random }: PlanContext,
): void {
  const { image, attempt } = origin;
  if (!error.retryable || attempt === MAX_ATTEMPTS || !maySendOn(message)) {
    failures.push({ line: failureLine(origin, error.report()), image });
    return;
  }
  addTo(retries, retryDelaySeconds(attempt, retryBaseSeconds, error.retryAfterSeconds, random), image);
  retryCodes.set(error.code, (retryCodes.get(error.code) ?? 0) + 1);
}

function addTo(byDelay: Map<number, ImageRef[]>, delay: number, image: ImageRef): void {
  const together = byDelay.get(delay);
  if (together === undefined) byDelay.set(delay, [image]);
  else together.push(image);
}
