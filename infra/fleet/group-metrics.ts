import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { FLEET_METRICS, METRIC_NAMESPACE } from '../../shared/contract/metric-names.ts';

/**
 * What the Auto Scaling group reports each minute, whatever it has, since the stack turns that on.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
 */
export const GROUP_METRICS = [
  'GroupDesiredCapacity',
  'GroupInServiceInstances',
  'GroupPendingInstances',
  'GroupTerminatingInstances',
] as const;

type GroupMetric = (typeof GROUP_METRICS)[number];

/** The metrics of a fleet, by the names that group, alarms and dashboard share. */
export class GroupMetrics {
  readonly #groupName: string;
  readonly #service: string;

  /** @param service the stack's name: the dimension of what instances report */
  constructor(groupName: string, service: string) {
    this.#groupName = groupName;
    this.#service = service;
  }

  desired(options: MetricOptions): Metric {
    return this.#ofGroup('GroupDesiredCapacity', options);
  }

  inService(options: MetricOptions): Metric {
    return this.#ofGroup('GroupInServiceInstances', options);
  }

  pending(options: MetricOptions): Metric {
    return this.#ofGroup('GroupPendingInstances', options);
  }

  terminating(options: MetricOptions): Metric {
    return this.#ofGroup('GroupTerminatingInstances', options);
  }

  /** Instances that ended themselves since their worker did not start, or did not stay. */
  givenUp(options: MetricOptions): Metric {
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: FLEET_METRICS.instancesGivenUp,
      dimensionsMap: { service: this.#service },
      ...options,
    });
  }

  /** Of all instances, in percent of their vCPUs; there only while there are instances. */
  processors(options: MetricOptions): Metric {
    return this.#metric('AWS/EC2', 'CPUUtilization', options);
  }

  #ofGroup(metricName: GroupMetric, options: MetricOptions): Metric {
    return this.#metric('AWS/AutoScaling', metricName, options);
  }

  #metric(namespace: string, metricName: string, options: MetricOptions): Metric {
    return new Metric({ namespace, metricName, dimensionsMap: { AutoScalingGroupName: this.#groupName }, ...options });
  }
}
