import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { ServiceConfig } from '../service-config.ts';
import { type AlarmSpecification, descriptionOf } from './alarm-specification.ts';

/** Alarms, and the topic that they go to. */
export class Alarms extends Construct {
  /** Gets each alarm that goes off or ends. Without `alarmEmail` it has no subscription: add yours. */
  readonly topic: Topic;
  readonly #serviceName: string;
  readonly #alarms: Alarm[] = [];
  readonly #names: string[] = [];

  constructor(scope: Construct, id: string, config: Pick<ServiceConfig, 'serviceName' | 'alarmEmail'>) {
    super(scope, id);
    this.#serviceName = config.serviceName;
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
    if (config.alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(config.alarmEmail));
  }

  /** All alarms, e.g. to add an action of your own to each. */
  get all(): readonly Alarm[] {
    return this.#alarms;
  }

  /** Known before they exist: mails and dashboards of other stacks can count on them. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Makes alarms that go to the topic. Not for alarms of your own: they need an entry in docs/runbook.md. */
  add(specifications: readonly AlarmSpecification[]): void {
    for (const specification of specifications) this.#create(specification);
  }

  #create(specification: AlarmSpecification): void {
    const { id, metric, threshold, periods, badPeriods } = specification;
    const alarmName = `${this.#serviceName}-${id}`;
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
    this.#alarms.push(alarm);
    this.#names.push(alarmName);
  }
}
