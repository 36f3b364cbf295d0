import type { IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { faults, logTable } from '../monitoring/function-widgets.ts';
import { graph, heading, MINUTE, perMinute } from '../monitoring/graph.ts';
import type { HttpApi } from './http-api.ts';

/** Requests to the API, and how long they take. */
export function apiWidgets({ api, function: fn, logGroup }: HttpApi): IWidget[][] {
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
            ...faults(fn),
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
