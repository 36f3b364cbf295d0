import {
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import type { ChatBot } from './chat-bot.ts';
import { GRAPH_WIDTH, graph, heading, MINUTE, most, perMinute } from './graph.ts';
import type { HttpApi } from './http-api.ts';
import type { JobEvents } from './job-events.ts';
import { recursionDrops } from './recursion-alarm.ts';
import type { Sweep } from './sweep.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** The worker as Lambda sees it. */
export function workerWidgets(worker: LambdaFunction, metrics: WorkerMetrics): IWidget[][] {
  return [
    [heading('Worker', 'An invocation takes up to ten messages. What it has no time for goes back to the queue.')],
    [
      graph('Worker: ms per invocation', {
        left: { label: 'ms', metrics: durations(worker, ['p50', 'p95', Stats.MAXIMUM]) },
        threshold: { value: FUNCTION_TIMEOUT_SECONDS * 1_000, label: 'timeout' },
      }),
      graph('Worker: at once, and cold starts', {
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

export function apiWidgets({ api, function: answering, logGroup }: HttpApi): IWidget[][] {
  const latency = (statistic: string) => api.metricLatency({ statistic, label: statistic, period: MINUTE });
  return [
    [heading('HTTP API', 'As API Gateway counts it; errors and throttles are of the function behind it.')],
    [
      graph('API: requests per minute', {
        left: {
          label: 'per minute',
          metrics: [
            api.metricCount(perMinute('requests')),
            api.metricClientError(perMinute('4xx')),
            api.metricServerError(perMinute('5xx')),
            ...faults(answering),
          ],
        },
      }),
      graph('API: ms per request', { left: { label: 'ms', metrics: [latency('p50'), latency('p95')] } }),
      logTable('API: requests that failed, by code', logGroup, [
        'filter message = "request failed"',
        'stats count(*) as requests by code',
        'sort requests desc',
      ]),
    ],
  ];
}

export function chatWidgets({ function: answering, logGroup }: ChatBot): IWidget[][] {
  return [
    [heading('Chatbot', 'Lex calls the function once or twice for each thing that is said.')],
    [
      graph('Chatbot: turns per minute', {
        left: {
          label: 'per minute',
          metrics: [answering.metricInvocations(perMinute('turns')), ...faults(answering)],
        },
      }),
      graph('Chatbot: ms per turn', { left: { label: 'ms', metrics: durations(answering, ['p50', 'p95']) } }),
      logTable('Chatbot: turns, by outcome and code', logGroup, [
        'filter message = "turn answered"',
        'stats count(*) as turns by outcome, code',
        'sort turns desc',
      ]),
    ],
  ];
}

export function announceWidgets({ function: announcing, deadLetterQueue, logGroup }: JobEvents): IWidget[][] {
  const unannounced = deadLetterQueue.metricApproximateNumberOfMessagesVisible(most('given up'));
  return [
    [heading('Ends of jobs', 'A look per job and 15 s while workers write; most find that the job goes on.')],
    [
      graph('Ends: looks per minute', {
        left: {
          label: 'per minute',
          metrics: [announcing.metricInvocations(perMinute('looks')), ...faults(announcing)],
        },
        right: { label: 'messages', metrics: [unannounced] },
      }),
      graph('Ends: ms per look', { left: { label: 'ms', metrics: durations(announcing, ['p50', 'p95']) } }),
      logTable('Ends: jobs, by state', logGroup, [
        'filter message = "job ended"',
        'stats count(*) as jobs by end.state',
        'sort jobs desc',
      ]),
    ],
  ];
}

export function sweepWidgets({ function: sweeping, logGroup }: Sweep): IWidget[][] {
  return [
    [heading('Sweep', 'Writes failures of messages that AWS moved to the dead-letter queue; each half hour.')],
    [
      graph('Sweep: runs per minute', {
        left: { label: 'per minute', metrics: [sweeping.metricInvocations(perMinute('runs')), ...faults(sweeping)] },
      }),
      graph('Sweep: ms per run', { left: { label: 'ms', metrics: durations(sweeping, [Stats.MAXIMUM]) } }),
      logTable('Sweep: images that it failed', logGroup, [
        'filter message = "swept" and (images > 0 or notLookedAt > 0)',
        'stats sum(images) as failed, max(letters) as mostLetters, max(notLookedAt) as mostNotLookedAt by bin(1h) as hour',
        'sort hour desc',
      ]),
    ],
  ];
}

function faults(watched: LambdaFunction): IMetric[] {
  return [watched.metricErrors(perMinute('errors')), watched.metricThrottles(perMinute('throttles'))];
}

function durations(watched: LambdaFunction, statistics: readonly string[]): IMetric[] {
  return statistics.map((statistic) => {
    const label = statistic === Stats.MAXIMUM ? 'longest' : statistic;
    return watched.metricDuration({ statistic, label, period: MINUTE });
  });
}

/** Of functions that write no metrics: their calls are few, so that a query of their log costs next to nothing. */
function logTable(title: string, { logGroupName }: ILogGroup, queryLines: string[]): LogQueryWidget {
  const view = LogQueryVisualizationType.TABLE;
  return new LogQueryWidget({ title, logGroupNames: [logGroupName], view, queryLines, width: GRAPH_WIDTH, height: 6 });
}
