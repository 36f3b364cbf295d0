import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  type IAlarm,
  type IMetric,
  type IWidget,
  SingleValueWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { HttpApi } from '../api/http-api.ts';
import { apiWidgets } from '../api/widgets.ts';
import type { ChatBot } from '../chat/chat-bot.ts';
import { chatWidgets } from '../chat/widgets.ts';
import { ANNOUNCE_MEMORY_MB, type JobEvents } from '../events/job-events.ts';
import { SWEEP_MEMORY_MB, type Sweep } from '../events/sweep.ts';
import { announceWidgets, sweepWidgets } from '../events/widgets.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetWidgets } from '../fleet/widgets.ts';
import type { Queues } from '../queue/job-queues.ts';
import { minutesToDrain, oldestMessageMinutes, queueWidgets } from '../queue/widgets.ts';
import type { StackConfig } from '../stage-config.ts';
import { imagesPerMinute, imageWidgets, percentFailed } from '../worker/image-widgets.ts';
import type { WorkerMetrics } from '../worker/metrics.ts';
import { workerWidgets } from '../worker/widgets.ts';
import { costWidgets, dollarsPerHour, type PricedFunction } from './cost-widgets.ts';
import { COLUMNS, most } from './graph.ts';

export type DashboardProps = {
  config: StackConfig;
  queues: Queues;
  worker: LambdaFunction;
  metrics: WorkerMetrics;
  alarmNames: readonly string[];
  sweep: Sweep;
  /** Undefined for a stage without one. */
  api: HttpApi | undefined;
  chat: ChatBot | undefined;
  jobEvents: JobEvents | undefined;
  fleet: Fleet | undefined;
};

/** What an operator looks at, from the question "is all well?" down to the stages of an image and what they cost. */
export class Dashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    // Dashboards are known by their names in all regions of an account.
    const { stackName, region } = Stack.of(this);
    this.name = `${stackName}-${region}`;
    const { config, queues, worker, metrics, alarmNames, sweep, api, chat, jobEvents, fleet } = props;
    const priced = { name: 'worker', function: worker, memoryMb: config.memoryMb };
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: this.name,
      defaultInterval: Duration.hours(3),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: this.#byName(alarmNames), width: COLUMNS, height: 3 })],
        atAGlance(queues, metrics, priced),
        ...queueWidgets(queues, config.oldestMessageAlarmMinutes),
        ...imageWidgets(metrics, queues),
        ...workerWidgets(worker, metrics),
        ...(fleet === undefined ? [] : fleetWidgets(fleet, queues)),
        ...costWidgets(priced, otherFunctions(props), metrics),
        ...(api === undefined ? [] : apiWidgets(api)),
        ...(chat === undefined ? [] : chatWidgets(chat)),
        ...(jobEvents === undefined ? [] : announceWidgets(jobEvents)),
        ...sweepWidgets(sweep),
      ],
    });
  }

  /** A dashboard needs no alarm to be there before it. */
  #byName(alarmNames: readonly string[]): IAlarm[] {
    return alarmNames.map((name) => Alarm.fromAlarmName(this, name, name));
  }
}

/** The figures of now, each with what it was in the time shown. */
function atAGlance(queues: Queues, metrics: WorkerMetrics, worker: PricedFunction): IWidget[] {
  const figures: [title: string, metric: IMetric][] = [
    ['Messages waiting', queues.queue.metricApproximateNumberOfMessagesVisible(most('waiting'))],
    ['Oldest message, minutes', oldestMessageMinutes(queues)],
    ['Time to drain, minutes', minutesToDrain(queues)],
    ['Images per minute', imagesPerMinute(metrics)],
    ['Images that failed, %', percentFailed(metrics)],
    ['Worker, $ per hour', dollarsPerHour(worker)],
  ];
  const width = COLUMNS / figures.length;
  return figures.map(
    ([title, metric]) => new SingleValueWidget({ title, metrics: [metric], width, height: 4, sparkline: true }),
  );
}

function otherFunctions({ config, sweep, api, chat, jobEvents }: DashboardProps): PricedFunction[] {
  const others: PricedFunction[] = [];
  if (api !== undefined && config.api !== undefined) {
    others.push({ name: 'API', function: api.function, memoryMb: config.api.memoryMb });
  }
  if (chat !== undefined && config.chatbot !== undefined) {
    others.push({ name: 'chatbot', function: chat.function, memoryMb: config.chatbot.memoryMb });
  }
  if (jobEvents !== undefined) {
    others.push({ name: 'announcer', function: jobEvents.function, memoryMb: ANNOUNCE_MEMORY_MB });
  }
  others.push({ name: 'sweep', function: sweep.function, memoryMb: SWEEP_MEMORY_MB });
  return others;
}
