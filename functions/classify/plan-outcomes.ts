import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import { MAX_ATTEMPTS, MAX_DELAY_SECONDS, MAX_HOPS } from '../../shared/contract/limits.ts';
import { type ImageRef, maySendOn, type QueueMessage } from '../../shared/contract/message.ts';
import {
  classifiedLine,
  type FailureLine,
  failureLine,
  type LineOrigin,
  type ModelId,
  type ResultLine,
} from '../../shared/contract/result-line.ts';

/** What must be written and sent before a message may be acknowledged. Each image is in one of its collections. */
export type OutcomePlan = {
  message: QueueMessage;
  results: ResultLine[];
  failures: { line: FailureLine; image: ImageRef }[];
  /** By delay in seconds; sent with the next attempt. */
  retries: Map<number, ImageRef[]>;
  /** Number of retried images by error code. */
  retryCodes: Map<ErrorCode, number>;
  /** By delay in seconds: images of hosts that do not respond; sent again with the same attempt. */
  putOff: Map<number, ImageRef[]>;
  /** Images that are expensive to decode and came after too many others; sent again with the same attempt. */
  decodeLater: { delaySeconds: number; images: ImageRef[] };
  /** Number of images of cancelled runs: nothing is written for them. */
  cancelled: number;
  /** Sent again with the same attempt. */
  notReached: ImageRef[];
};

/** What a plan depends on besides the outcomes; `random` is uniform in [0, 1). */
export type PlanContext = { model: ModelId; retryBaseSeconds: number; now: Date; random: number };

/** Decides what happens to each image of a message; writes nothing. */
export function planOutcomes(
  message: QueueMessage,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  context: PlanContext,
): OutcomePlan {
  const plan: OutcomePlan = {
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
    if (outcome === 'not_reached') plan.notReached.push(image);
    else if (outcome === 'cancelled') plan.cancelled++;
    else if (outcome instanceof PutOff) putOff(plan, image, outcome, context);
    else if (outcome instanceof ImageFailure) planFailure(plan, origin, outcome, context);
    else plan.results.push(classifiedLine(origin, outcome, context.model));
  }
  return plan;
}

/** A chain is bounded: at its end, an image that was never fetched fails as well. */
function lastOutcome(outcome: ImageOutcome): ImageOutcome {
  if (outcome instanceof PutOff) return outcome.toFailure();
  if (outcome !== 'not_reached') return outcome;
  return new ImageFailure('timeout', `expected to reach this image in ${MAX_HOPS + 1} invocations, there was no time`);
}

/** Delayed until a try can succeed, and like a retry: longer the more often the image was sent on. */
function putOff(
  { message: { hops = 0 }, putOff, decodeLater }: OutcomePlan,
  image: ImageRef,
  { reason, seconds }: PutOff,
  { retryBaseSeconds, random }: PlanContext,
): void {
  const equivalentAttempt = Math.min(hops + 1, MAX_ATTEMPTS - 1);
  const delay = retryDelaySeconds(equivalentAttempt, retryBaseSeconds, seconds, random);
  if (reason === 'host_rests') {
    addTo(putOff, delay, image);
    return;
  }
  decodeLater.images.push(image);
  // Their delays differ by moments, and a message per moment would be too many.
  decodeLater.delaySeconds = Math.max(decodeLater.delaySeconds, delay);
}

function planFailure(
  { message, failures, retries, retryCodes }: OutcomePlan,
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

/**
 * How long a message waits before its images are tried again, in whole seconds: exponential backoff with "equal jitter"
 * (half fixed, half random), so that workers which failed together do not retry together; at least what the server asked
 * for, at most what SQS can delay.
 *
 * @param failedAttempt the attempt that failed, from 1
 * @param baseSeconds the delay after attempt 1
 * @param retryAfterSeconds the server's `Retry-After`, if it sent one
 * @param random uniform in [0, 1)
 */
export function retryDelaySeconds(
  failedAttempt: number,
  baseSeconds: number,
  retryAfterSeconds: number | undefined,
  random: number,
): number {
  const full = baseSeconds * 2 ** (failedAttempt - 1);
  const jittered = full / 2 + (full / 2) * random;
  return Math.min(MAX_DELAY_SECONDS, Math.ceil(Math.max(jittered, retryAfterSeconds ?? 0)));
}

function addTo(byDelay: Map<number, ImageRef[]>, delay: number, image: ImageRef): void {
  const together = byDelay.get(delay);
  if (together === undefined) byDelay.set(delay, [image]);
  else together.push(image);
}
