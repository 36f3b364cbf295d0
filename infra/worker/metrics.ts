import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { CODE_DIMENSION, METRIC_NAMESPACE, METRICS } from '../../shared/contract/metric-names.ts';

type WorkerMetric = (typeof METRICS)[keyof typeof METRICS];

/** The metrics that the worker of one stage writes, by the names that worker, dashboard and alarms share. */
export class WorkerMetrics {
  readonly #service: string;
  readonly #function: LambdaFunction;

  /** @param service the worker's POWERTOOLS_SERVICE_NAME */
  constructor(service: string, worker: LambdaFunction) {
    this.#service = service;
    this.#function = worker;
  }

  /** How many, in each period. */
  count(metricName: WorkerMetric, label: string, period: Duration = Duration.minutes(1)): Metric {
    return this.#metric(metricName, Stats.SUM, label, period);
  }

  /** @param statistic e.g. `p95` */
  distribution(metricName: WorkerMetric, statistic: string, label: string): Metric {
    return this.#metric(metricName, statistic, label, Duration.minutes(1));
  }

  /** Images that failed with one code, in each period. */
  failedWith(code: ErrorCode, period: Duration): Metric {
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: METRICS.imagesFailed,
      dimensionsMap: { service: this.#service, [CODE_DIMENSION]: code },
      statistic: Stats.SUM,
      label: code,
      period,
    });
  }

  /** A line for each code with which images have failed within the last two weeks. For graphs: alarms take no search. */
  failedByCode(period: Duration = Duration.minutes(1)): IMetric {
    const found = `{${METRIC_NAMESPACE},${CODE_DIMENSION},service} MetricName="${METRICS.imagesFailed}" service="${this.#service}"`;
    return new MathExpression({
      expression: `SEARCH('${found}', '${Stats.SUM}', ${period.toSeconds()})`,
      // CloudWatch puts in what stands in braces.
      label: `\${PROP('Dim.${CODE_DIMENSION}')}`,
      period,
    });
  }

  /** Powertools counts cold starts with one more dimension. */
  coldStarts(): Metric {
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: 'ColdStart',
      dimensionsMap: { service: this.#service, function_name: this.#function.functionName },
      statistic: Stats.SUM,
      label: 'cold starts',
      period: Duration.minutes(1),
    });
  }

  #metric(metricName: WorkerMetric, statistic: string, label: string, period: Duration): Metric {
    const dimensionsMap = { service: this.#service };
    return new Metric({ namespace: METRIC_NAMESPACE, metricName, dimensionsMap, statistic, label, period });
  }
}
