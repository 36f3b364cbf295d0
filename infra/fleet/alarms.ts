import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmSpecification, EACH_EVENT, FIVE_MINUTES } from '../monitoring/alarm-specification.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { Fleet } from './fleet.ts';

const least = { period: FIVE_MINUTES, statistic: Stats.MINIMUM };
const most = { period: FIVE_MINUTES, statistic: Stats.MAXIMUM };
const A_QUARTER_OF_AN_HOUR = { periods: 3, badPeriods: 3 };

/** None for a stage without a fleet. */
export function fleetAlarms(fleet: Fleet | undefined, { queue }: Queues): AlarmSpecification[] {
  if (fleet === undefined) return [];
  const { metrics } = fleet;
  return [
    {
      id: 'FleetBelowCapacity',
      runbook: 'fleet-below-capacity',
      means:
        'For 15 minutes, the fleet has had fewer instances than requested: there is no Spot capacity, a quota is used up, or instances do not become ready.',
      metric: new MathExpression({
        expression: 'wanted - there',
        usingMetrics: { wanted: metrics.desired(least), there: metrics.inService(most) },
        period: FIVE_MINUTES,
        label: 'instances that are missing',
      }),
      threshold: 0,
      ...A_QUARTER_OF_AN_HOUR,
    },
    {
      id: 'FleetInstancesGivenUp',
      runbook: 'fleet-instances-given-up',
      means:
        'An instance terminated itself because its worker did not start or crashed repeatedly. Its replacement costs the same and may fail the same way.',
      metric: metrics.givenUp({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      ...EACH_EVENT,
    },
    {
      id: 'FleetIdle',
      runbook: 'fleet-idle',
      means:
        'For 15 minutes, instances have been in service while messages wait, and none was received: the workers run but receive nothing.',
      metric: new MathExpression({
        // Messages in flight are reported only while there are some.
        expression: 'IF(there > 0 AND waiting > 0 AND received == 0, 1, 0)',
        usingMetrics: {
          there: metrics.inService(least),
          waiting: queue.metricApproximateNumberOfMessagesVisible(least),
          received: queue.metricNumberOfMessagesReceived({ period: FIVE_MINUTES, statistic: Stats.SUM }),
        },
        period: FIVE_MINUTES,
        label: 'idle',
      }),
      threshold: 0,
      ...A_QUARTER_OF_AN_HOUR,
    },
  ];
}
