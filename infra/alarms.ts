import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { DEADLINE_RESERVE_MS, FUNCTION_TIMEOUT_SECONDS, MAX_RECEIVE_COUNT } from '../shared/contract/limits.ts';
import { METRICS } from '../shared/contract/metric-names.ts';
import { type AlarmSpecification, descriptionOf, EACH_EVENT, FIVE_MINUTES } from './alarm-specification.ts';
import { apiAlarms } from './api-alarms.ts';
import { chatAlarms } from './chat-alarms.ts';
import type { ChatBot } from './chat-bot.ts';
import { fleetAlarms } from './fleet/alarms.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { HttpApi } from './http-api.ts';
import { type JobEvents, jobEventAlarms } from './job-events.ts';
import type { JobQueues } from './job-queues.ts';
import { recursionAlarm } from './recursion-alarm.ts';
import type { StageConfig } from './stage-config.ts';
import { type Sweep, sweepAlarm } from './sweep.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** Below that many outcomes, a share of failures says nothing. */
const MIN_OUTCOMES = 20;
/** The worker ends an invocation this long before Lambda does; half of the reserve used up is too much. */
const NEAR_TIMEOUT_MS = FUNCTION_TIMEOUT_SECONDS * 1_000 - DEADLINE_RESERVE_MS / 2;
const TWENTY_MINUTES = { threshold: 0, periods: 4, badPeriods: 4 };
/** A message comes back after 12 minutes: two bad periods in half an hour are one that failed again. */
const WITHIN_REDELIVERIES = { periods: 6, badPeriods: 2 };

export type AlarmsProps = {
  config: StageConfig;
  queues: JobQueues;
  worker: LambdaFunction;
  metrics: WorkerMetrics;
  sweep: Sweep;
  /** Undefined for a stage without one. */
  api: HttpApi | undefined;
  chat: ChatBot | undefined;
  jobEvents: JobEvents | undefined;
  fleet: Fleet | undefined;
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
      sweepAlarm(props.sweep),
      ...apiAlarms(props.api),
      ...chatAlarms(props.chat),
      ...jobEventAlarms(props.jobEvents),
      ...fleetAlarms(props.fleet, props.queues),
    ].map((alarm) => this.#create(alarm));
  }

  /** @returns its name, known beforehand: mails and dashboards of other stacks can count on it */
  #create(specification: AlarmSpecification): string {
    const { id, metric, threshold, periods, badPeriods } = specification;
    const alarmName = `${Stack.of(this).stackName}-${id}`;
    const alarm = new Alarm(this, id, {
      alarmName,
      alarmDescription: descriptionOf(specification),
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

function queueAlarms({ config, queues: { queue }, metrics }: AlarmsProps): AlarmSpecification[] {
  const max = { period: FIVE_MINUTES, statistic: Stats.MAXIMUM };
  const done = queue.metricNumberOfMessagesDeleted({ period: FIVE_MINUTES, statistic: Stats.SUM });
  return [
    {
      id: 'OldestMessage',
      runbook: 'oldest-message',
      means: `For a quarter of an hour a message has waited for more than ${config.oldestMessageAlarmMinutes} minutes: the workers are too few, too slow, or stopped.`,
      metric: queue.metricApproximateAgeOfOldestMessage(max),
      threshold: config.oldestMessageAlarmMinutes * 60,
      periods: 3,
      badPeriods: 3,
    },
    {
      id: 'NoProgress',
      runbook: 'no-progress',
      means: 'Messages are waiting, and for 20 minutes none was done: nothing works on the queue.',
      // Of SQS alone, which reports zeros: a worker that never started has no metrics, and FILL() makes none of nothing.
      metric: new MathExpression({
        expression: 'IF(waiting > 0 AND done == 0, 1, 0)',
        usingMetrics: {
          waiting: queue.metricApproximateNumberOfMessagesVisible(max),
          done,
        },
        period: FIVE_MINUTES,
        label: 'no progress',
      }),
      ...TWENTY_MINUTES,
    },
    {
      id: 'NoProgressInFlight',
      runbook: 'no-progress',
      means: 'Messages are in flight, and for 20 minutes none was done: workers take them and die.',
      // Of a worker that dies at its start, all messages are hidden until their visibility timeout ends. Not in one sum with
      // those that wait: this metric is documented to be there only while messages are in flight.
      metric: new MathExpression({
        expression: 'IF(taken > 0 AND done == 0, 1, 0)',
        usingMetrics: { taken: queue.metricApproximateNumberOfMessagesNotVisible(max), done },
        period: FIVE_MINUTES,
        label: 'no progress',
      }),
      ...TWENTY_MINUTES,
    },
    {
      id: 'MalformedMessages',
      runbook: 'malformed-messages',
      means:
        'A producer sent a body that is not a message of labelqueue: its images, if it has any, get no results. It is in the dead-letter queue, with the reason.',
      metric: metrics.count(METRICS.messagesUnreadable, 'malformed', FIVE_MINUTES),
      threshold: 0,
      ...EACH_EVENT,
    },
    {
      id: 'LastDeliveries',
      runbook: 'last-deliveries',
      means: `A message was delivered for the ${MAX_RECEIVE_COUNT}th and last time, since workers died or could not write before. If that fails too, SQS moves it to the dead-letter queue as it came.`,
      metric: metrics.count(METRICS.messagesOnLastDelivery, 'last deliveries', FIVE_MINUTES),
      threshold: 0,
      ...EACH_EVENT,
    },
  ];
}

function workerAlarms({ config, worker, metrics }: AlarmsProps): AlarmSpecification[] {
  return [
    {
      id: 'FailureShare',
      runbook: 'failure-share',
      means: `For a quarter of an hour more than ${config.failureShareAlarm * 100} % of the images have failed: a list with bad URLs, a server that is away, or a defect.`,
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
        'An image ended each worker that took it, and failed as worker_crashed: its content breaks a library, or needs too much memory.',
      metric: metrics.failedWith('worker_crashed', FIVE_MINUTES),
      threshold: 0,
      ...EACH_EVENT,
    },
    {
      id: 'FunctionErrors',
      runbook: 'function-errors',
      means:
        'Invocations of the worker die or do not start. Their messages come back, and are moved to the dead-letter queue if that goes on.',
      metric: worker.metricErrors({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      ...WITHIN_REDELIVERIES,
    },
    {
      id: 'Throttles',
      runbook: 'throttles',
      means:
        "The account's concurrency is used up. SQS counts messages as delivered that no worker ever got, and moves them to the dead-letter queue in the end.",
      metric: worker.metricThrottles({ period: FIVE_MINUTES, statistic: Stats.SUM }),
      threshold: 0,
      periods: 3,
      badPeriods: 2,
    },
    {
      id: 'NearTimeout',
      runbook: 'near-timeout',
      means: `Invocations come within ${(FUNCTION_TIMEOUT_SECONDS * 1_000 - NEAR_TIMEOUT_MS) / 1_000} s of the timeout of ${FUNCTION_TIMEOUT_SECONDS} s: one that exceeds it loses its work, and its messages come back.`,
      metric: worker.metricDuration({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM }),
      threshold: NEAR_TIMEOUT_MS,
      periods: 3,
      badPeriods: 2,
    },
    {
      id: 'UnsettledMessages',
      runbook: 'unsettled-messages',
      means:
        'S3 or SQS do not take the outcomes of messages, so that these come back to the queue. After five deliveries SQS moves them to the dead-letter queue.',
      metric: metrics.count(METRICS.messagesUnsettled, 'not settled', FIVE_MINUTES),
      threshold: 0,
      ...WITHIN_REDELIVERIES,
    },
  ];
}
