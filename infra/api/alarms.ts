import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmSpecification, FIVE_MINUTES, functionAlarms } from '../monitoring/alarm-specification.ts';
import type { HttpApi } from './http-api.ts';

/** With fewer requests, a share of errors means nothing. */
const MIN_REQUESTS = 20;
/** Failures of image servers are answered with 5xx too, so some of these are normal. */
const SERVER_ERROR_SHARE = 0.25;
/** A fetch may take 10 s: a service of which every twentieth caller waits that long is not well. */
const SLOW_MS = 10_000;

/** The alarms of the HTTP API; none for a stage without one. */
export function apiAlarms(api: HttpApi | undefined): AlarmSpecification[] {
  if (api === undefined) return [];
  const sum = { period: FIVE_MINUTES, statistic: Stats.SUM };
  return [
    {
      id: 'ApiServerErrors',
      runbook: 'api-server-errors',
      means: `For 15 minutes, more than ${SERVER_ERROR_SHARE * 100} % of the API's responses were 5xx: failing image servers, or a fault of the API.`,
      metric: new MathExpression({
        // Without a request, or without an error ever, there is nothing to compute: that counts as good.
        expression: `IF(requests >= ${MIN_REQUESTS}, errors / requests, 0)`,
        usingMetrics: { requests: api.api.metricCount(sum), errors: api.api.metricServerError(sum) },
        period: FIVE_MINUTES,
        label: 'share of 5xx',
      }),
      threshold: SERVER_ERROR_SHARE,
      periods: 3,
      badPeriods: 3,
    },
    {
      id: 'ApiLatency',
      runbook: 'api-latency',
      means: `For 15 minutes, the API's p95 latency has been above ${SLOW_MS / 1_000} s: most clients time out by then.`,
      metric: api.api.metricLatency({ period: FIVE_MINUTES, statistic: 'p95' }),
      threshold: SLOW_MS,
      periods: 3,
      badPeriods: 3,
    },
    ...functionAlarms(api.function, 'Api', {
      errors: "Invocations of the API's function crash or do not start: clients get a 500.",
      throttles: "The API's concurrency is used up: clients get a 503.",
    }),
  ];
}
