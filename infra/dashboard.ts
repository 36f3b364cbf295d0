import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { gbSecondUsd, PRICES } from '../shared/contract/cost.ts';
import { METRICS } from '../shared/contract/metric-names.ts';
import type { WorkerMachine } from '../shared/contract/worker-time.ts';
import type { HttpApi } from './http-api.ts';
import type { JobQueues } from './job-queues.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** The dashboard has 24 columns: three graphs a row. */
const WIDTH = 8;
const MINUTE = Duration.minutes(1);

export type DashboardProps = {
  queues: JobQueues;
  worker: LambdaFunction;
  logGroup: ILogGroup;
  /** That the worker runs on. */
  machine: WorkerMachine;
  metrics: WorkerMetrics;
  alarmNames: readonly string[];
  /** Undefined for a stage without one. */
  api: HttpApi | undefined;
};

/** What an operator looks at, from the question "is all well?" down to the stages of an image. */
export class Dashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    // Dashboards are known by their names in all regions of an account.
    const { stackName, region } = Stack.of(this);
    this.name = `${stackName}-${region}`;
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: this.name,
      defaultInterval: Duration.hours(3),
      widgets: [
        [
          new AlarmStatusWidget({
            title: 'Alarms',
            alarms: this.#byName(props.alarmNames),
            width: 3 * WIDTH,
            height: 2,
          }),
        ],
        queueWidgets(props.queues),
        imageWidgets(props),
        stageWidgets(props.metrics),
        workerWidgets(props),
        ...(props.api === undefined ? [] : [apiWidgets(props.api)]),
      ],
    });
  }

  /** A dashboard needs no alarm to be there before it. */
  #byName(alarmNames: readonly string[]): IAlarm[] {
    return alarmNames.map((name) => Alarm.fromAlarmName(this, name, name));
  }
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: WIDTH, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
}

function queueWidgets({ queue, deadLetterQueue }: JobQueues): IWidget[] {
  const maximum = (label: string) => ({ label, statistic: Stats.MAXIMUM, period: MINUTE });
  return [
    graph('Queue: messages', [
      queue.metricApproximateNumberOfMessagesVisible(maximum('waiting')),
      queue.metricApproximateNumberOfMessagesNotVisible(maximum('in flight')),
      queue.metricApproximateNumberOfMessagesDelayed(maximum('delayed for a retry')),
    ]),
    graph('Queue: age of the oldest message in seconds', [
      queue.metricApproximateAgeOfOldestMessage(maximum('oldest message')),
    ]),
    graph('Dead-letter queue: messages', [
      deadLetterQueue.metricApproximateNumberOfMessagesVisible(maximum('dead letters')),
    ]),
  ];
}

function imageWidgets({ metrics, logGroup }: DashboardProps): IWidget[] {
  return [
    graph('Images a minute', [
      metrics.count(METRICS.imagesClassified, 'classified'),
      metrics.count(METRICS.imagesFailed, 'failed'),
      metrics.count(METRICS.imagesRetried, 'retried'),
      metrics.count(METRICS.imagesNotReached, 'not reached in time'),
      metrics.count(METRICS.imagesCancelled, 'cancelled'),
    ]),
    new LogQueryWidget({
      title: 'Failed images, by code',
      logGroupNames: [logGroup.logGroupName],
      view: LogQueryVisualizationType.BAR,
      queryLines: ['filter message = "image failed"', 'stats count(*) as images by code'],
      width: WIDTH,
    }),
    graph('Messages that were no messages, or came back', [
      metrics.count(METRICS.messagesUnreadable, 'unreadable'),
      metrics.count(METRICS.messagesUnsettled, 'not settled'),
    ]),
  ];
}

function stageWidgets(metrics: WorkerMetrics): IWidget[] {
  const percentiles = (name: 'fetchTime' | 'decodeTime' | 'inferenceTime') =>
    ['p50', 'p95'].map((statistic) => metrics.distribution(METRICS[name], statistic, statistic));
  return [
    graph('Fetch: ms an image', percentiles('fetchTime')),
    graph('Decode: ms an image', percentiles('decodeTime')),
    graph('Inference: ms a batch, and images a batch', percentiles('inferenceTime'), [
      metrics.distribution(METRICS.inferenceBatchSize, Stats.AVERAGE, 'images a batch'),
    ]),
  ];
}

function workerWidgets({ worker, machine, metrics }: DashboardProps): IWidget[] {
  const duration = (statistic: string) =>
    worker.metricDuration({ statistic, label: `duration ${statistic}`, period: MINUTE });
  const sum = (label: string) => ({ label, statistic: Stats.SUM, period: MINUTE });
  return [
    graph('Worker: duration in ms', [duration('p50'), duration('p95'), duration(Stats.MAXIMUM)]),
    graph(
      'Worker: concurrency, cold starts, throttles, errors',
      [
        worker.metric('ConcurrentExecutions', { label: 'at once', statistic: Stats.MAXIMUM, period: MINUTE }),
        metrics.coldStarts(),
      ],
      [worker.metricThrottles(sum('throttles')), worker.metricErrors(sum('errors'))],
    ),
    graph('Cost of Lambda: $ an hour', [lambdaCostAnHour(worker, machine)]),
  ];
}

function apiWidgets({ api, function: answering, logGroup }: HttpApi): IWidget[] {
  const sum = (label: string) => ({ label, statistic: Stats.SUM, period: MINUTE });
  const latency = (statistic: string) => api.metricLatency({ statistic, label: statistic, period: MINUTE });
  return [
    graph(
      'API: requests a minute; throttles and errors of its function',
      [api.metricCount(sum('requests')), api.metricClientError(sum('4xx')), api.metricServerError(sum('5xx'))],
      [answering.metricThrottles(sum('throttles')), answering.metricErrors(sum('errors'))],
    ),
    graph('API: ms a request', [latency('p50'), latency('p95')]),
    new LogQueryWidget({
      title: 'API: requests that failed, by code',
      logGroupNames: [logGroup.logGroupName],
      view: LogQueryVisualizationType.BAR,
      queryLines: ['filter message = "request failed"', 'stats count(*) as requests by code'],
      width: WIDTH,
    }),
  ];
}

/** At list prices; SQS and S3 add little when messages are full (docs/cost.md). */
function lambdaCostAnHour(worker: LambdaFunction, { architecture, memoryMb }: WorkerMachine): MathExpression {
  const period = Duration.hours(1);
  // Metric math knows no exponents.
  const dollarsAMillisecond = (((memoryMb / 1_024) * gbSecondUsd(architecture)) / 1_000).toFixed(14);
  const dollarsAnInvocation = PRICES.lambdaRequest.toFixed(8);
  return new MathExpression({
    expression: `milliseconds * ${dollarsAMillisecond} + invocations * ${dollarsAnInvocation}`,
    usingMetrics: {
      milliseconds: worker.metricDuration({ statistic: Stats.SUM, period }),
      invocations: worker.metricInvocations({ statistic: Stats.SUM, period }),
    },
    period,
    label: 'Lambda',
  });
}
