import type { JobDescription } from '../../shared/contract/job-description.ts';
import {
  CANCELLATION_CHECK_MS,
  LONGEST_GUARD_INTERVAL_MS,
  MIN_OUTCOMES_FOR_FAILURE_RATE,
  SHORTEST_GUARD_INTERVAL_MS,
} from '../../shared/contract/limits.ts';
import { assumedUsd, costSoFar, onLambda } from '../../shared/cost.ts';
import type { GuardRecord } from '../../shared/jobs/guard-record.ts';

/** What to do with a job: cancel it for a reason, or count again after this many milliseconds. */
export type GuardVerdict = { cancel: string } | { againInMs: number };

/** Compares a count of a job with its limits. */
export function judge(job: JobDescription, count: GuardRecord): GuardVerdict {
  return tooManyFailures(job, count) ?? tooExpensive(job, count) ?? { againInMs: LONGEST_GUARD_INTERVAL_MS };
}

function tooManyFailures({ maxFailureRate }: JobDescription, count: GuardRecord): GuardVerdict | undefined {
  const { outcomes, failed } = count;
  if (maxFailureRate === undefined || outcomes < MIN_OUTCOMES_FOR_FAILURE_RATE) return undefined;
  if (failed <= maxFailureRate * outcomes) return undefined;
  return { cancel: `${failed} of ${outcomes} images failed, more than the share of ${maxFailureRate}` };
}

/**
 * Workers notice a cancellation within `CANCELLATION_CHECK_MS`, and go on spending until then: a job is cancelled when that
 * would exceed its limit. The nearer the limit, the sooner the next count.
 */
function tooExpensive({ maxCostUsd, images, perMessage }: JobDescription, count: GuardRecord) {
  if (maxCostUsd === undefined) return undefined;
  const computingUsd = count.outcomes === 0 ? assumedUsd(1) : count.computingUsd / count.outcomes;
  // Requests and logs as if all images were processed on Lambda: elsewhere they cost slightly less.
  const costOf = (some: number) => costSoFar(some, perMessage, onLambda(some * computingUsd)).totalUsd;
  const spent = costOf(count.outcomes);
  if (costOf(images) <= maxCostUsd && spent <= maxCostUsd) return undefined;
  const usdPerSecond = count.outcomes === 0 ? 0 : (spent / count.outcomes) * count.imagesPerSecond;
  const msLeft = spent >= maxCostUsd ? 0 : ((maxCostUsd - spent) / usdPerSecond) * 1_000;
  if (msLeft <= CANCELLATION_CHECK_MS) {
    return {
      cancel: `about $${spent.toPrecision(3)} spent on ${count.outcomes} images, the limit of $${maxCostUsd} is near`,
    };
  }
  const againInMs = Math.max(SHORTEST_GUARD_INTERVAL_MS, (msLeft - CANCELLATION_CHECK_MS) / 2);
  return { againInMs: Math.min(LONGEST_GUARD_INTERVAL_MS, againInMs) };
}
