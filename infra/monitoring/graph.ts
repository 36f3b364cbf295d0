import { Duration } from 'aws-cdk-lib';
import {
  Color,
  GraphWidget,
  type HorizontalAnnotation,
  type IMetric,
  MathExpression,
  Stats,
  TextWidget,
  TextWidgetBackground,
} from 'aws-cdk-lib/aws-cloudwatch';

/** The columns of a dashboard. */
export const COLUMNS = 24;
/** Three graphs a row. */
export const GRAPH_WIDTH = COLUMNS / 3;
export const MINUTE = Duration.minutes(1);

/** The metrics of one axis, and what their numbers are. */
export type Axis = { label: string; metrics: IMetric[] };
export type GraphOptions = {
  left: Axis;
  right?: Axis;
  stacked?: boolean;
  /** A line at the value of an alarm's threshold. */
  threshold?: { value: number; label: string };
};

/** A graph with named axes from zero. CloudWatch's own units are left out: the axes say what is counted. */
export function graph(title: string, { left, right, stacked = false, threshold }: GraphOptions): GraphWidget {
  return new GraphWidget({
    title,
    left: left.metrics,
    leftYAxis: axis(left),
    ...(right !== undefined && { right: right.metrics, rightYAxis: axis(right) }),
    ...(threshold !== undefined && { leftAnnotations: [annotation(threshold)] }),
    stacked,
    width: GRAPH_WIDTH,
  });
}

function axis({ label }: Axis) {
  return { min: 0, label, showUnits: false };
}

function annotation({ value, label }: { value: number; label: string }): HorizontalAnnotation {
  return { value, label, color: Color.RED };
}

/** What stands above a row of graphs, across the dashboard. */
export function heading(title: string, says: string): TextWidget {
  const markdown = `**${title}** · ${says}`;
  return new TextWidget({ markdown, width: COLUMNS, height: 1, background: TextWidgetBackground.TRANSPARENT });
}

/** How often something happened, per minute. */
export function perMinute(label: string) {
  return { label, statistic: Stats.SUM, period: MINUTE };
}

/** The most there was at once, of each minute. */
export function most(label: string) {
  return { label, statistic: Stats.MAXIMUM, period: MINUTE };
}

/** A metric computed of others, by the names that stand for them. */
export function computed(
  label: string,
  expression: string,
  usingMetrics: Record<string, IMetric>,
  period: Duration = MINUTE,
): MathExpression {
  return new MathExpression({ label, expression, usingMetrics, period });
}
