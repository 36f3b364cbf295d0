import { type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type AlarmSpecification, FIVE_MINUTES } from './alarm-specification.ts';

/**
 * Invocations that Lambda did not begin since it took them for a loop.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export function recursionDrops(worker: LambdaFunction, options: MetricOptions) {
  return worker.metric('RecursiveInvocationsDropped', { statistic: Stats.SUM, ...options });
}

/** The worker's loops are allowed: any drop says that somebody changed that. */
export function recursionAlarm(worker: LambdaFunction): AlarmSpecification {
  return {
    id: 'RecursiveInvocations',
    runbook: 'recursive-invocations',
    means: 'Lambda took chains of messages for an endless loop, and moved messages to the dead-letter queue.',
    metric: recursionDrops(worker, { period: FIVE_MINUTES }),
    threshold: 0,
    periods: 1,
    badPeriods: 1,
  };
}
