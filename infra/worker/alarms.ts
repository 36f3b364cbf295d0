import { MathExpression, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { DEADLINE_RESERVE_MS, FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { METRICS } from '../../shared/contract/metric-names.ts';
import { type AlarmSpecification, EACH_EVENT, FIVE_MINUTES } from '../monitoring/alarm-specification.ts';
import type { ServiceConfig } from '../service-config.ts';
import type { WorkerMetrics } from './metrics.ts';

/** With fewer outcomes, a share of failures means nothing. */
const MIN_OUTCOMES = 20;
/** The worker ends an invocation this long before Lambda does; half of the reserve used up is too much. */
const NEAR_TIMEOUT_MS = FUNCTION_TIMEOUT_SECONDS * 1_000 - DEADLINE_RESERVE_MS / 2;
/** A message comes back after 12 minutes: two bad periods in half an hour are one that failed again. */
const WITHIN_REDELIVERIES = { periods: 6, badPeriods: 2 };

/** The alarms on images that fail and on a worker that dies, is throttled or is slow. */
export function workerAlarms(
  worker: LambdaFunction,
  config: ServiceConfig,
  metrics: WorkerMetrics,
): AlarmSpecification[] {
  return [
    {
      id: 'FailureShare',
      runbook: 'failure-share',
      means: `For 15 minutes, more than ${config.failureShareAlarm * 100} % of the images have failed: bad URLs, an image server that is down, or a bug.`,
      // The worker writes both counts together, zeros too: where one is missing, so is the other.
      metric: new MathExpression({
        expression: `IF(failed + done >= ${MIN_OUTCOMES}, failed / (failed + done), 0)`,
        usingMetrics: {
          failed: metrics.count(METRICS.imagesFailed, 'failed', FIVE_MINUTES),
          done: metrics.count(METRICS.imagesClassified, 'classified', FIVE_MINUTES),
        },
        period: FIVE_MINUTES,
        label: 'share of failures',
      }),
      threshold: config.failureShareAlarm,
      periods: 3,
      badPeriods: 3,
    },
    {
      id: 'WorkerCrashes',
      runbook: 'worker-crashes',
      means:
        'An image crashed every worker that processed it and failed as worker_crashed: it triggers a bug in a library, or needs too much memory.',
      metric: metrics.failedWith('worker_crashed', FIVE_MINUTES),
      threshold: 0,
      ...EACH_EVENT,
    },
    {
      id: 'FunctionErrors',
      runbook: 'function-errors',
      means:
        'Invocations of the worker crash or do not start. Their messages are redelivered, and move to the dead-letter queue after five deliveries.',
      metric: worker.metricErrors({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      ...WITHIN_REDELIVERIES,
    },
    {
      id: 'Throttles',
      runbook: 'throttles',
      means:
        "The account's concurrency is used up. SQS counts each rejected attempt as a delivery and moves messages to the dead-letter queue after five.",
      metric: worker.metricThrottles({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      periods: 3,
      badPeriods: 2,
    },
    {
      id: 'NearTimeout',
      runbook: 'near-timeout',
      means: `Invocations come within ${(FUNCTION_TIMEOUT_SECONDS * 1_000 - NEAR_TIMEOUT_MS) / 1_000} s of the timeout of ${FUNCTION_TIMEOUT_SECONDS} s: an invocation that times out loses its work, and its messages are redelivered.`,
      metric: worker.metricDuration({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM }),
      threshold: NEAR_TIMEOUT_MS,
      periods: 3,
      badPeriods: 2,
    },
    {
      id: 'UnsettledMessages',
      runbook: 'unsettled-messages',
      means:
        'S3 or SQS rejects the outcomes of messages, so the messages are redelivered. After five deliveries, SQS moves them to the dead-letter queue.',
      metric: metrics.count(METRICS.messagesUnsettled, 'not settled', FIVE_MINUTES),
      threshold: 0,
      ...WITHIN_REDELIVERIES,
    },
  ];
}

/**
 * Invocations that Lambda did not begin since it took them for a loop.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export function recursionDrops(worker: LambdaFunction, options: MetricOptions) {
  return worker.metric('RecursiveInvocationsDropped', { statistic: Stats.SUM, ...options });
}

/** The worker's loops are allowed: any drop means that this was changed. */
export function recursionAlarm(worker: LambdaFunction): AlarmSpecification {
  return {
    id: 'RecursiveInvocations',
    runbook: 'recursive-invocations',
    means: 'Lambda mistook chains of messages for an endless loop, and moved messages to the dead-letter queue.',
    metric: recursionDrops(worker, { period: FIVE_MINUTES }),
    threshold: 0,
    periods: 1,
    badPeriods: 1,
  };
}
