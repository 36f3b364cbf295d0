import { Duration } from 'aws-cdk-lib';
import { type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';

const PERIOD_MINUTES = 5;
/** The periods in which all alarms are judged. */
export const FIVE_MINUTES = Duration.minutes(PERIOD_MINUTES);

/** For events that each deserve a look: red at the first one, and for a while after the last. */
export const EACH_EVENT = { periods: 3, badPeriods: 1 };

/** An alarm, and its entry in `docs/runbook.md`. */
export type AlarmSpecification = {
  id: string;
  /** The heading of its entry, as the anchor that Markdown makes of it. */
  runbook: string;
  /** What is the matter, and why that is bad: whole sentences. */
  means: string;
  metric: IMetric;
  threshold: number;
  /** So many periods of five minutes are looked at, and so many of them must be bad. */
  periods: number;
  badPeriods: number;
};

/** The text of an alarm's mail: what is wrong, when the alarm ends by itself, and where to read on. */
export function descriptionOf(specification: AlarmSpecification): string {
  return `${specification.means} ${endOf(specification)} What to do: docs/runbook.md#${specification.runbook}`;
}

/**
 * When an alarm that is red turns green. A period without data counts as good (`TreatMissingData.NOT_BREACHING`), but before
 * that CloudWatch looks for data some periods further back: how many is not documented.
 */
function endOf({ periods, badPeriods }: Pick<AlarmSpecification, 'periods' | 'badPeriods'>): string {
  if (periods === badPeriods)
    return `The alarm ends after the first ${PERIOD_MINUTES} minutes in which this is not so.`;
  return `The alarm ends about ${periods * PERIOD_MINUTES} minutes after this has happened for the last time, or a little later.`;
}

/**
 * The alarms of a function that somebody waits for, whatever it does.
 *
 * @param name stands before the ids and, in lower case, before the entries of the runbook
 * @param means the text of each alarm
 */
export function functionAlarms(
  watched: LambdaFunction,
  name: string,
  means: { errors: string; throttles: string },
): AlarmSpecification[] {
  const sum = { period: FIVE_MINUTES, statistic: Stats.SUM };
  return [
    {
      id: `${name}FunctionErrors`,
      runbook: `${name.toLowerCase()}-function-errors`,
      means: means.errors,
      metric: watched.metricErrors(sum),
      threshold: 0,
      periods: 6,
      badPeriods: 2,
    },
    {
      id: `${name}Throttles`,
      runbook: `${name.toLowerCase()}-throttles`,
      means: means.throttles,
      metric: watched.metricThrottles(sum),
      threshold: 0,
      periods: 3,
      badPeriods: 2,
    },
  ];
}
