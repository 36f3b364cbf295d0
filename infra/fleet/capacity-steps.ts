import type { CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';

/** Of one policy. https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
const MAX_STEPS = 20;

/**
 * For a metric that is the number of instances that are needed, a whole number: the group gets exactly so many. With more than
 * {@link MAX_STEPS} it gets the next number that has a step, at most 44 % more for 1,000. To ask twice changes nothing,
 * however late figures are and whatever is still starting.
 */
export function capacitySteps(maxInstances: number): CfnScalingPolicy.StepAdjustmentProperty[] {
  const capacities = capacitiesTo(maxInstances);
  return capacities.map((capacity, index) => {
    const before = capacities[index - 1];
    return {
      // Inclusive below, exclusive above.
      metricIntervalLowerBound: before === undefined ? 0 : before + 1,
      ...(index < capacities.length - 1 && { metricIntervalUpperBound: capacity + 1 }),
      scalingAdjustment: capacity,
    };
  });
}

/** 1, 2, 3, and so on while there are steps enough; then each by the same factor, up to the last. */
function capacitiesTo(maxInstances: number): number[] {
  const capacities = [1];
  for (let last = 1; last < maxInstances; capacities.push(last)) {
    const factor = (maxInstances / last) ** (1 / (MAX_STEPS - capacities.length));
    last = Math.min(maxInstances, Math.max(last + 1, Math.ceil(last * factor)));
  }
  return capacities;
}
