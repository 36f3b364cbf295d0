import type { Template } from 'aws-cdk-lib/assertions';
import { evaluate, type MathContext, type Series } from './metric-math.ts';

/** What CloudFormation is given for an alarm, as far as it decides about its state. */
export type AlarmProperties = {
  AlarmName: string;
  AlarmDescription: string;
  Threshold: number;
  EvaluationPeriods: number;
  DatapointsToAlarm: number;
  ComparisonOperator: string;
  TreatMissingData: string;
  Period?: number;
  MetricName?: string;
  Namespace?: string;
  Dimensions?: { Name: string; Value: unknown }[];
  Statistic?: string;
  ExtendedStatistic?: string;
  Metrics?: MetricQuery[];
  AlarmActions?: unknown[];
  OKActions?: unknown[];
};
type MetricQuery = {
  Id: string;
  Expression?: string;
  ReturnData?: boolean;
  MetricStat?: { Metric: AlarmMetric; Period: number; Stat: string };
};
export type AlarmMetric = { Namespace: string; MetricName: string; Dimensions?: { Name: string; Value: unknown }[] };

/** The alarms that somebody is mailed about. */
export function alarmsForPeople(template: Template): AlarmProperties[] {
  return allAlarms(template).filter(({ OKActions }) => OKActions !== undefined);
}

/** The alarms that change how many instances a fleet has, and that send no mail. */
export function alarmsThatScale(template: Template): AlarmProperties[] {
  return allAlarms(template).filter(({ OKActions }) => OKActions === undefined);
}

function allAlarms(template: Template): AlarmProperties[] {
  const found = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
  return found.map(({ Properties }) => Properties as AlarmProperties);
}

/** Stands for the metric of an alarm that has one and computes nothing. */
const ALONE = 'value';

/** The metrics of an alarm by the names in its expression; one without an expression has `value`. */
export function metricsOf(alarm: AlarmProperties): Map<string, AlarmMetric> {
  const { Metrics, MetricName = '', Namespace = '', Dimensions = [] } = alarm;
  if (Metrics === undefined) return new Map([[ALONE, { MetricName, Namespace, Dimensions }]]);
  const isAlone = expressionOf(alarm) === ALONE;
  return new Map(
    Metrics.flatMap(({ Id, MetricStat }) =>
      MetricStat === undefined ? [] : [[isAlone ? ALONE : Id, MetricStat.Metric]],
    ),
  );
}

/** The expression of an alarm over several metrics. */
export function expressionOf({ Metrics = [] }: AlarmProperties): string {
  return Metrics.find(({ Expression }) => Expression !== undefined)?.Expression ?? ALONE;
}

/**
 * Periods beyond those that an alarm evaluates which CloudWatch looks at for values, in place of missing ones. How many it
 * takes is not documented; its examples have five in all for an alarm of three.
 */
const EXTRA_PERIODS = 2;

export type AlarmTrial = {
  /** By metric, a value per period; undefined where CloudWatch has none. */
  values: ReadonlyMap<string, readonly (number | undefined)[]>;
  missing: MathContext['missing'];
};

/**
 * The state of an alarm after each period: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing
 * data". It goes by the latest values within its range; where there are too few, `TreatMissingData` stands in for the others.
 */
export function statesOf(alarm: AlarmProperties, { values, missing }: AlarmTrial): ('ALARM' | 'OK')[] {
  const { EvaluationPeriods, DatapointsToAlarm, Threshold, ComparisonOperator, TreatMissingData } = alarm;
  mustBe(ComparisonOperator, 'GreaterThanThreshold');
  mustBe(TreatMissingData, 'notBreaching');
  const length = Math.max(...[...values.values()].map((given) => given.length));
  return Array.from({ length }, (_, last) => {
    const first = Math.max(0, last - EvaluationPeriods - EXTRA_PERIODS + 1);
    const times = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const series = new Map([...values].map(([name, given]) => [name, within(given, times)]));
    const result = evaluate(expressionOf(alarm), { period: 300, times, series, missing });
    const latest = times.flatMap((time) => result.get(time) ?? []).slice(-EvaluationPeriods);
    const bad = latest.filter((value) => value > Threshold).length;
    return bad >= DatapointsToAlarm ? 'ALARM' : 'OK';
  });
}

function mustBe(got: string, expected: string): void {
  if (got !== expected) throw new Error(`expected ${expected}, the only kind that is evaluated here, got ${got}`);
}

function within(given: readonly (number | undefined)[], times: readonly number[]): Series {
  return new Map(
    times.flatMap((time): [number, number][] => {
      const value = given[time];
      return value === undefined ? [] : [[time, value]];
    }),
  );
}
