import { Duration, Stack } from 'aws-cdk-lib';
import { type CfnAutoScalingGroup, CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';
import { Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { JobQueues } from '../job-queues.ts';
import type { FleetConfig } from './fleet-config.ts';
import type { GroupMetrics } from './group-metrics.ts';
import { stepsOut } from './steps-out.ts';

const MINUTE = Duration.minutes(1);
/** An instance counts as there from its start on: what it does shows in the queue only later. */
const WARM_UP_SECONDS = 180;
/** A pause between messages is no reason to let instances go: starting them again takes as long. */
const SHRINK_AFTER_MINUTES = 10;

export type ScalingProps = {
  group: CfnAutoScalingGroup;
  queues: JobQueues;
  metrics: GroupMetrics;
  fleet: FleetConfig;
};

type Rule = {
  id: string;
  says: string;
  expression: string;
  minutes: number;
  policy: Omit<ConstructorParameters<typeof CfnScalingPolicy>[2], 'autoScalingGroupName' | 'policyType'>;
};

/**
 * How many instances there are: by the messages that wait or are in flight, over those that an instance is worth. Step scaling,
 * since target tracking multiplies what there is, and 0 times anything is 0. Each rule is a difference, so nothing is divided
 * by the instances either. Both metrics come each minute, zeros too, while the queue is in use.
 */
export function scaleByBacklog(scope: Construct, props: ScalingProps): void {
  for (const rule of rules(props.fleet)) scale(scope, rule, props);
}

function rules({ messagesPerInstance, maxInstances, idleMinutes }: FleetConfig): Rule[] {
  const worth = `(waiting + taken) / ${messagesPerInstance}`;
  return [
    {
      id: 'ScaleOut',
      says: 'More messages wait or are in flight than the instances are for.',
      expression: `${worth} - desired`,
      minutes: 1,
      policy: {
        adjustmentType: 'ChangeInCapacity',
        estimatedInstanceWarmup: WARM_UP_SECONDS,
        metricAggregationType: 'Maximum',
        stepAdjustments: stepsOut(maxInstances),
      },
    },
    {
      id: 'ScaleIn',
      says: 'Half of the instances would do for what is left.',
      // The last one stays until the queue is empty.
      expression: `IF(waiting + taken > 0, desired - 2 * ${worth} - 1, 0)`,
      minutes: SHRINK_AFTER_MINUTES,
      policy: {
        adjustmentType: 'PercentChangeInCapacity',
        minAdjustmentMagnitude: 1,
        stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: -50 }],
      },
    },
    {
      id: 'ScaleToZero',
      says: 'Nothing waits, and nothing is in flight.',
      expression: 'IF(waiting + taken == 0, desired, 0)',
      minutes: idleMinutes,
      policy: {
        adjustmentType: 'ExactCapacity',
        stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: 0 }],
      },
    },
  ];
}

function scale(scope: Construct, rule: Rule, { group, queues: { queue }, metrics }: ScalingProps): void {
  const policy = new CfnScalingPolicy(scope, `${rule.id}Policy`, {
    autoScalingGroupName: group.ref,
    policyType: 'StepScaling',
    ...rule.policy,
  });
  const latest = { period: MINUTE, statistic: Stats.MAXIMUM };
  const alarm = new Alarm(scope, rule.id, {
    alarmName: `${Stack.of(scope).stackName}-Fleet${rule.id}`,
    alarmDescription: `${rule.says} This one changes the fleet and is nothing to act on: docs/fleet.md`,
    metric: new MathExpression({
      expression: rule.expression,
      usingMetrics: {
        waiting: queue.metricApproximateNumberOfMessagesVisible(latest),
        taken: queue.metricApproximateNumberOfMessagesNotVisible(latest),
        desired: metrics.desired(latest),
      },
      period: MINUTE,
      label: 'instances',
    }),
    threshold: 0,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    evaluationPeriods: rule.minutes,
    datapointsToAlarm: rule.minutes,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  alarm.addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) });
}
