import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { DEADLINE_RESERVE_MS, FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { METRICS } from '../shared/contract/metric-names.ts';
import { type AlarmSpecification, FIVE_MINUTES } from './alarm-specification.ts';
import { apiAlarms } from './api-alarms.ts';
import { chatAlarms } from './chat-alarms.ts';
import type { ChatBot } from './chat-bot.ts';
import type { HttpApi } from './http-api.ts';
import { type JobEvents, jobEventAlarms } from './job-events.ts';
import type { JobQueues } from './job-queues.ts';
import { recursionAlarm } from './recursion-alarm.ts';
import type { StageConfig } from './stage-config.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** Below that many outcomes, a share of failures says nothing. */
const MIN_OUTCOMES = 20;
/** The worker ends an invocation this long before Lambda does; half of the reserve used up is too much. */
const NEAR_TIMEOUT_MS = FUNCTION_TIMEOUT_SECONDS * 1_000 - DEADLINE_RESERVE_MS / 2;
/** A message comes back after 12 minutes: two bad periods in half an hour are one that failed again. */
const WITHIN_REDELIVERIES = { periods: 6, badPeriods: 2 };

export type AlarmsProps = {
  config: StageConfig;
  queues: JobQueues;
  worker: LambdaFunction;
  metrics: WorkerMetrics;
  /** Undefined for a stage without one. */
  api: HttpApi | undefined;
  chat: ChatBot | undefined;
  jobEvents: JobEvents | undefined;
};

/** The alarms of a stage and the topic that they go to. */
export class Alarms extends Construct {
  readonly topic: Topic;
  readonly names: readonly string[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { enforceSSL: true });
    // A topic with a policy of its own has lost the default one, by which CloudWatch may publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    const { alarmEmail } = props.config;
    if (alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(alarmEmail));
    this.names = [
      ...queueAlarms(props),
      ...workerAlarms(props),
      recursionAlarm(props.worker),
      ...apiAlarms(props.api),
      ...chatAlarms(props.chat),
      ...jobEventAlarms(props.jobEvents),
    ].map((alarm) => this.#create(alarm));
  }

  /** @returns its name, known beforehand: mails and dashboards of other stacks can count on it */
  #create({ id, runbook, means, metric, threshold, periods, badPeriods }: AlarmSpecification): string {
    const alarmName = `${Stack.of(this).stackName}-${id}`;
    const alarm = new Alarm(this, id, {
      alarmName,
      alarmDescription: `${means} What to do: docs/runbook.md#${runbook}`,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: badPeriods,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    return alarmName;
  }
}

function queueAlarms({ config, queues: { queue, deadLetterQueue }, metrics }: AlarmsProps): AlarmSpecification[] {
  const max = { period: FIVE_MINUTES, statistic: Stats.MAXIMUM };
  const { imagesClassified, imagesFailed, imagesRetried, imagesCancelled } = METRICS;
  return [
    {
      id: 'DeadLetters',
      runbook: 'dead-letters',
      means: 'Images failed for good, or bodies were no messages: they wait in the dead-letter queue.',
      metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible(max),
      threshold: 0,
      periods: 1,
      badPeriods: 1,
    },
    {
      id: 'OldestMessage',
      runbook: 'oldest-message',
      means: `A message has waited for more than ${config.oldestMessageAlarmMinutes} minutes.`,
      metric: queue.metricApproximateAgeOfOldestMessage(max),
      threshold: config.oldestMessageAlarmMinutes * 60,
      periods: 3,
      badPeriods: 3,
    },
    {
      id: 'NoProgress',
      runbook: 'no-progress',
      means: 'Messages are there, and for 20 minutes no image has had an outcome.',
      metric: new MathExpression({
        expression:
          'IF(waiting + taken > 0 AND FILL(done, 0) + FILL(failed, 0) + FILL(again, 0) + FILL(gone, 0) == 0, 1, 0)',
        usingMetrics: {
          waiting: queue.metricApproximateNumberOfMessagesVisible(max),
          // Of a worker that dies at its start, all messages are hidden until their visibility timeout ends.
          taken: queue.metricApproximateNumberOfMessagesNotVisible(max),
          done: metrics.count(imagesClassified, 'classified', FIVE_MINUTES),
          failed: metrics.count(imagesFailed, 'failed', FIVE_MINUTES),
          again: metrics.count(imagesRetried, 'retried', FIVE_MINUTES),
          gone: metrics.count(imagesCancelled, 'cancelled', FIVE_MINUTES),
        },
        period: FIVE_MINUTES,
        label: 'no progress',
      }),
      threshold: 0,
      periods: 4,
      badPeriods: 4,
    },
  ];
}

function workerAlarms({ config, worker, metrics }: AlarmsProps): AlarmSpecification[] {
  return [
    {
      id: 'FailureShare',
      runbook: 'failure-share',
      means: `More than ${config.failureShareAlarm * 100} % of the images fail.`,
      metric: new MathExpression({
        expression: `IF(FILL(failed, 0) + FILL(done, 0) >= ${MIN_OUTCOMES}, FILL(failed, 0) / (FILL(failed, 0) + FILL(done, 0)), 0)`,
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
      id: 'FunctionErrors',
      runbook: 'function-errors',
      means: 'Invocations of the worker die or do not start.',
      metric: worker.metricErrors({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      ...WITHIN_REDELIVERIES,
    },
    {
      id: 'Throttles',
      runbook: 'throttles',
      means: "The account's concurrency is used up, and messages are counted as delivered that never were.",
      metric: worker.metricThrottles({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      periods: 3,
      badPeriods: 2,
    },
    {
      id: 'NearTimeout',
      runbook: 'near-timeout',
      means: `Invocations come within ${(FUNCTION_TIMEOUT_SECONDS * 1_000 - NEAR_TIMEOUT_MS) / 1_000} s of the time-out of ${FUNCTION_TIMEOUT_SECONDS} s.`,
      metric: worker.metricDuration({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM }),
      threshold: NEAR_TIMEOUT_MS,
      periods: 3,
      badPeriods: 2,
    },
    {
      id: 'UnsettledMessages',
      runbook: 'unsettled-messages',
      means: 'Messages come back to the queue, since S3 or SQS do not take their outcomes.',
      metric: metrics.count(METRICS.messagesUnsettled, 'unsettled', FIVE_MINUTES),
      threshold: 0,
      ...WITHIN_REDELIVERIES,
    },
  ];
}
