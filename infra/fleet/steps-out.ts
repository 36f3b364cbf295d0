import type { CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';

/** As many more as are missing, or somewhat fewer: the next minute adds the rest. A policy takes 20 steps. */
export function stepsOut(maxInstances: number): CfnScalingPolicy.StepAdjustmentProperty[] {
  const bounds = [0];
  for (let bound = 1; bound < maxInstances; bound *= 2) bounds.push(bound);
  return bounds.map((bound, index) => {
    const next = bounds[index + 1];
    return {
      metricIntervalLowerBound: bound,
      ...(next !== undefined && { metricIntervalUpperBound: next }),
      scalingAdjustment: bound + 1,
    };
  });
}
