import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmSpecification, FIVE_MINUTES, functionAlarms } from '../monitoring/alarm-specification.ts';
import type { JobEvents } from './job-events.ts';
import type { Sweep } from './sweep.ts';

/** The alarms of what announces ends. */
export function jobEventAlarms(jobEvents: JobEvents | undefined): AlarmSpecification[] {
  if (jobEvents === undefined) return [];
  return [
    {
      id: 'UnannouncedEnds',
      runbook: 'unannounced-ends',
      means: 'The end of a job could not be determined or announced for hours.',
      metric: jobEvents.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        period: FIVE_MINUTES,
        statistic: Stats.MAXIMUM,
      }),
      threshold: 0,
      periods: 1,
      badPeriods: 1,
    },
    ...functionAlarms(jobEvents.function, 'Announce', {
      errors: 'Invocations of the function that announces ends of jobs crash or do not start.',
      throttles: "The account's concurrency is used up: ends of jobs are announced late.",
    }),
  ];
}

/** An hour has two sweeps: one that fails has a successor that looks at the same letters. */
export function sweepAlarm({ function: fn }: Sweep): AlarmSpecification {
  return {
    id: 'SweepFunctionErrors',
    runbook: 'sweep-function-errors',
    means:
      'The function that writes failures of messages that AWS moved to the dead-letter queue failed twice within an hour: jobs with such messages do not end.',
    metric: fn.metricErrors({ period: FIVE_MINUTES, statistic: Stats.SUM }),
    threshold: 0,
    periods: 12,
    badPeriods: 2,
  };
}
