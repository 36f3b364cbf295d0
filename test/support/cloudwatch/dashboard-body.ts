import type { Template } from 'aws-cdk-lib/assertions';

/** A widget of a dashboard, as CloudWatch reads it (CloudWatch API Reference, "Dashboard Body Structure and Syntax"). */
export type Widget = {
  type: 'metric' | 'log' | 'text' | 'alarm';
  x: number;
  y: number;
  width: number;
  height: number;
  properties: {
    title?: string;
    markdown?: string;
    view?: string;
    query?: string;
    alarms?: string[];
    stacked?: boolean;
    metrics?: WidgetMetric[];
    yAxis?: { left?: AxisProperties; right?: AxisProperties };
    annotations?: { horizontal?: { value: number; label: string; yAxis?: string }[] };
  };
};
type AxisProperties = { min?: number; label?: string; showUnits?: boolean };
/** Namespace, name, and dimensions with their values; what stands beside them comes last. Or an expression alone. */
type WidgetMetric = (string | MetricOptions)[];
type MetricOptions = {
  expression?: string;
  label?: string;
  id?: string;
  stat?: string;
  period?: number;
  yAxis?: 'left' | 'right';
  visible?: boolean;
};

/** One line of a widget, or what a line is computed of. */
export type ShownMetric = {
  namespace: string | undefined;
  name: string | undefined;
  dimensions: Record<string, string>;
  options: MetricOptions;
};

/** The widgets of the only dashboard in a template; what CloudFormation fills in stands there as its logical name. */
export function widgetsOf(template: Template): Widget[] {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  return JSON.parse(filledIn(dashboard?.['Properties'].DashboardBody)).widgets;
}

/** The metrics of a widget. CloudWatch takes `.` for "as in the line before", which the CDK does not write. */
export function shownMetrics({ properties: { metrics = [] } }: Widget): ShownMetric[] {
  return metrics.map((given) => {
    const texts = given.filter((part) => typeof part === 'string');
    const options = given.find((part) => typeof part === 'object') ?? {};
    const [namespace, name, ...pairs] = texts;
    const dimensions: Record<string, string> = {};
    for (let index = 0; index < pairs.length; index += 2) dimensions[pairs[index] ?? ''] = pairs[index + 1] ?? '';
    return { namespace, name, dimensions, options };
  });
}

type Intrinsic = { Ref?: string; 'Fn::Join'?: [string, unknown[]]; 'Fn::GetAtt'?: string[] };

/** The text that CloudFormation makes, with logical names in place of physical ones. */
export function filledIn(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::Join': join, 'Fn::GetAtt': attribute } = value as Intrinsic;
  if (join !== undefined) return join[1].map(filledIn).join(join[0]);
  return Ref ?? attribute?.join('.') ?? '';
}
