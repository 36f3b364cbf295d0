import { Duration } from 'aws-cdk-lib';
import { type IMetric, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../shared/contract/metric-names.ts';
import type { Architecture } from '../../shared/contract/worker-time.ts';
import { PRICES, usdOfTime } from '../../shared/cost.ts';
import type { WorkerMetrics } from '../worker/metrics.ts';
import { computed, graph, heading } from './graph.ts';

const PERIOD = Duration.minutes(5);

/** A function, what lines of it are called, and the memory that its price depends on. */
export type PricedFunction = { name: string; function: LambdaFunction; memoryMb: number };

/**
 * What Lambda costs at list prices; SQS and S3 add little when messages are full (docs/cost.md). Each function has a line of
 * its own: CloudWatch computes nothing with a metric that never came, and a function that was never called has none.
 */
export function costWidgets(
  worker: PricedFunction,
  others: readonly PricedFunction[],
  metrics: WorkerMetrics,
): IWidget[][] {
  const all = [worker, ...others];
  const classified = metrics.count(METRICS.imagesClassified, 'classified', PERIOD);
  return [
    [heading('Cost', 'Of Lambda at list prices, without free tiers and discounts. Times of starts are in it.')],
    [
      graph('Lambda: $ per hour', { left: { label: 'US dollars per hour', metrics: all.map(dollarsPerHour) } }),
      graph('Lambda: $ since the start of the graph', {
        left: {
          label: 'US dollars',
          metrics: all.map((priced) => dollars(priced.name, priced, (usd) => `RUNNING_SUM(${usd})`)),
        },
      }),
      graph('Worker: $ per million images', {
        left: {
          label: 'US dollars',
          metrics: [
            dollars('worker', worker, (usd) => `IF(done > 0, (${usd}) / done * 1000000)`, { done: classified }),
          ],
        },
      }),
    ],
  ];
}

export function dollarsPerHour(priced: PricedFunction): IMetric {
  return dollars(priced.name, priced, (usd) => `(${usd}) * 3600 / PERIOD(${idOf(priced)}_ms)`);
}

/** @param expression is given what costs the time and the requests of a period */
function dollars(
  label: string,
  { name, function: priced, memoryMb }: PricedFunction,
  expression: (usd: string) => string,
  others: Record<string, IMetric> = {},
): IMetric {
  const architecture = priced.architecture.name as Architecture;
  // Metric math knows no exponents.
  const perMillisecond = usdOfTime({ host: 'lambda', milliseconds: 1, memoryMb, architecture }).toFixed(14);
  const id = idOf({ name });
  const usd = `${id}_ms * ${perMillisecond} + ${id}_requests * ${PRICES.lambdaRequest.toFixed(8)}`;
  const sum = { statistic: Stats.SUM, period: PERIOD };
  const used = { [`${id}_ms`]: priced.metricDuration(sum), [`${id}_requests`]: priced.metricInvocations(sum) };
  return computed(label, expression(usd), { ...used, ...others }, PERIOD);
}

/** A name is used once in a graph, and begins with a small letter. */
function idOf({ name }: Pick<PricedFunction, 'name'>): string {
  return name.toLowerCase();
}
