import { Duration, Stack } from 'aws-cdk-lib';
import { type CfnAutoScalingGroup, CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';
import { Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Queues } from '../queue/job-queues.ts';
import { capacitySteps } from './capacity-steps.ts';
import type { FleetConfig } from './fleet-config.ts';
import type { GroupMetrics } from './group-metrics.ts';

const MINUTE = Duration.minutes(1);
/** An instance counts as there from its start on: what it does shows in the queue only later. */
const WARM_UP_SECONDS = 180;
/** A pause between messages is no reason to let instances go: starting them again takes as long. */
const SHRINK_AFTER_MINUTES = 10;

export type ScalingProps = {
  group: CfnAutoScalingGroup;
  queues: Queues;
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
 * How many instances there are: by messages, over those that an instance is worth. Step scaling, since target tracking
 * multiplies what there is, and 0 times anything is 0. Each rule's metric is the number of instances that are needed, or 0
 * where nothing is to be done, and its policy sets exactly that number: a rule that acts again on old figures changes nothing.
 *
 * Of SQS's metrics, `waiting` and `received` are there while the queue is in use, which it is while instances poll it. `taken`
 * is documented to be there only while messages are in flight, and `FILL()` makes no series of nothing: no rule that starts
 * instances or ends the last ones looks at it. Missing figures change nothing: taken for a breach, they would end instances
 * that are still starting on a queue that was not used for hours.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export function scaleByBacklog(scope: Construct, props: ScalingProps): void {
  for (const rule of rules(props.fleet)) scale(scope, rule, props);
}

function rules({ messagesPerInstance, maxInstances, idleMinutes }: FleetConfig): Rule[] {
  const needed = (messages: string) => `CEIL(${messages} / ${messagesPerInstance})`;
  const [ofWaiting, ofAll] = [needed('waiting'), needed('(waiting + taken)')];
  const exactly = { adjustmentType: 'ExactCapacity', stepAdjustments: capacitySteps(maxInstances) };
  return [
    {
      id: 'ScaleOut',
      says: 'More messages wait than the instances are for.',
      expression: `IF(${ofWaiting} > desired, ${ofWaiting}, 0)`,
      minutes: 1,
      policy: { ...exactly, estimatedInstanceWarmup: WARM_UP_SECONDS, metricAggregationType: 'Maximum' },
    },
    {
      id: 'ScaleIn',
      says: 'Half of the instances would do for what is left.',
      // The last one stays until the queue is empty: what is left needs at least one.
      expression: `IF(desired >= 2 * ${ofAll}, ${ofAll}, 0)`,
      minutes: SHRINK_AFTER_MINUTES,
      policy: { ...exactly, metricAggregationType: 'Maximum' },
    },
    {
      id: 'ScaleToZero',
      says: 'Nothing waits, and nothing is received.',
      // Of what was received before, the last is done after a few minutes, and an instance drains before it ends.
      expression: 'IF(waiting + received == 0, desired, 0)',
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
  const all = {
    waiting: queue.metricApproximateNumberOfMessagesVisible(latest),
    taken: queue.metricApproximateNumberOfMessagesNotVisible(latest),
    received: queue.metricNumberOfMessagesReceived({ period: MINUTE, statistic: Stats.SUM }),
    desired: metrics.desired(latest),
  };
  const alarm = new Alarm(scope, rule.id, {
    alarmName: `${Stack.of(scope).stackName}-Fleet${rule.id}`,
    alarmDescription: `${rule.says} This one changes the fleet and is nothing to act on: docs/fleet.md`,
    metric: new MathExpression({
      expression: rule.expression,
      usingMetrics: Object.fromEntries(Object.entries(all).filter(([name]) => rule.expression.includes(name))),
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
