import { type IMetric, LogQueryVisualizationType, LogQueryWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { GRAPH_WIDTH, MINUTE, perMinute } from './graph.ts';

/** Errors and throttles per minute. */
export function faults(watched: LambdaFunction): IMetric[] {
  return [watched.metricErrors(perMinute('errors')), watched.metricThrottles(perMinute('throttles'))];
}

/** How long invocations take, in milliseconds. */
export function durations(watched: LambdaFunction, statistics: readonly string[]): IMetric[] {
  return statistics.map((statistic) => {
    const label = statistic === Stats.MAXIMUM ? 'longest' : statistic;
    return watched.metricDuration({ statistic, label, period: MINUTE });
  });
}

/** Of functions that write no metrics: their calls are few, so that a query of their log costs next to nothing. */
export function logTable(title: string, { logGroupName }: ILogGroup, queryLines: string[]): LogQueryWidget {
  const view = LogQueryVisualizationType.TABLE;
  return new LogQueryWidget({ title, logGroupNames: [logGroupName], view, queryLines, width: GRAPH_WIDTH, height: 6 });
}
