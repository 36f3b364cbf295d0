import { type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { durations, faults } from '../monitoring/function-widgets.ts';
import { graph, heading, most, perMinute } from '../monitoring/graph.ts';
import { recursionDrops } from './alarms.ts';
import type { WorkerMetrics } from './metrics.ts';

/** The worker as Lambda sees it. */
export function workerWidgets(worker: LambdaFunction, metrics: WorkerMetrics): IWidget[][] {
  return [
    [heading('Worker', 'An invocation takes up to ten messages. What it has no time for goes back to the queue.')],
    [
      graph('Worker: ms per invocation', {
        left: { label: 'ms', metrics: durations(worker, ['p50', 'p95', Stats.MAXIMUM]) },
        threshold: { value: FUNCTION_TIMEOUT_SECONDS * 1_000, label: 'timeout' },
      }),
      graph('Worker: concurrency and cold starts', {
        left: { label: 'invocations at once', metrics: [worker.metric('ConcurrentExecutions', most('at once'))] },
        right: { label: 'cold starts per minute', metrics: [metrics.coldStarts()] },
      }),
      graph('Worker: errors and throttles', {
        left: {
          label: 'per minute',
          metrics: [...faults(worker), recursionDrops(worker, perMinute('dropped as a loop'))],
        },
      }),
    ],
  ];
}
