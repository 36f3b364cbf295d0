import { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';

/** The periods in which all alarms are judged. */
export const FIVE_MINUTES = Duration.minutes(5);

/** An alarm, and the entry of `docs/runbook.md` that says what to do at night. */
export type AlarmSpecification = {
  id: string;
  /** The heading of its entry, as the anchor that Markdown makes of it. */
  runbook: string;
  means: string;
  metric: IMetric;
  threshold: number;
  /** So many periods of five minutes are looked at, and so many of them must be bad. */
  periods: number;
  badPeriods: number;
};
