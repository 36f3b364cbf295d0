import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { apiAlarms } from '../api/alarms.ts';
import type { HttpApi } from '../api/http-api.ts';
import { chatAlarms } from '../chat/alarms.ts';
import type { ChatBot } from '../chat/chat-bot.ts';
import { jobEventAlarms, sweepAlarm } from '../events/alarms.ts';
import type { JobEvents } from '../events/job-events.ts';
import type { Sweep } from '../events/sweep.ts';
import { fleetAlarms } from '../fleet/alarms.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { queueAlarms } from '../queue/alarms.ts';
import type { JobQueues } from '../queue/job-queues.ts';
import type { StageConfig } from '../stage-config.ts';
import { recursionAlarm, workerAlarms } from '../worker/alarms.ts';
import type { WorkerMetrics } from '../worker/metrics.ts';
import { type AlarmSpecification, descriptionOf } from './alarm-specification.ts';

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
