import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type AlarmSpecification, FIVE_MINUTES } from './alarm-specification.ts';

/**
 * The alarms of a function that somebody waits for, whatever it does.
 *
 * @param name stands before the ids and, in lower case, before the entries of the runbook
 * @param means what each alarm says
 */
export function functionAlarms(
  watched: LambdaFunction,
  name: string,
  means: { errors: string; throttles: string },
): AlarmSpecification[] {
  const sum = { period: FIVE_MINUTES, statistic: Stats.SUM };
  return [
    {
      id: `${name}FunctionErrors`,
      runbook: `${name.toLowerCase()}-function-errors`,
      means: means.errors,
      metric: watched.metricErrors(sum),
      threshold: 0,
      periods: 6,
      badPeriods: 2,
    },
    {
      id: `${name}Throttles`,
      runbook: `${name.toLowerCase()}-throttles`,
      means: means.throttles,
      metric: watched.metricThrottles(sum),
      threshold: 0,
      periods: 3,
      badPeriods: 2,
    },
  ];
}
