import { Validations } from 'aws-cdk-lib';
import { CfnAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import type { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { DRAIN_HEARTBEAT_SECONDS, READY_HEARTBEAT_SECONDS } from './drain.ts';
import type { FleetConfig } from './fleet-config.ts';
import { GROUP_METRICS } from './group-metrics.ts';

export type InstanceGroupProps = {
  name: string;
  fleet: FleetConfig;
  template: CfnLaunchTemplate;
  instanceTypes: readonly string[];
  subnetIds: string[];
};

/**
 * The group: from 0 instances, as many as its rules ask for. How many there are stands nowhere in the template, so a deploy
 * changes nothing about it.
 */
export function instanceGroup(scope: Construct, props: InstanceGroupProps): CfnAutoScalingGroup {
  const { name, fleet, subnetIds } = props;
  const group = new CfnAutoScalingGroup(scope, 'Group', {
    autoScalingGroupName: name,
    vpcZoneIdentifier: subnetIds,
    minSize: '0',
    maxSize: String(fleet.queue === 'lambda' ? 0 : fleet.maxInstances),
    mixedInstancesPolicy: mixed(props),
    // Another instance is started when EC2 expects to take one back, not when it has.
    capacityRebalance: true,
    healthCheckType: 'EC2',
    metricsCollection: [{ granularity: '1Minute', metrics: [...GROUP_METRICS] }],
    lifecycleHookSpecificationList: HOOKS,
    tags: [{ key: 'Name', value: name, propagateAtLaunch: true }],
  });
  Validations.of(group).acknowledge(
    {
      id: 'AwsSolutions::AwsSolutions-AS3',
      reason: 'That instances come and go is what a fleet is for: alarms say when they do not.',
    },
    {
      id: 'AwsSolutions::AwsSolutions-EC26',
      reason: 'The template encrypts the volume; the rule does not look into a policy of mixed instances.',
    },
  );
  return group;
}

/**
 * AWS recommends `price-capacity-optimized` for work that can be begun again: of the pools that are least likely to be taken
 * back the cheapest. https://docs.aws.amazon.com/autoscaling/ec2/userguide/allocation-strategies.html
 */
function mixed({
  fleet,
  template,
  instanceTypes,
}: InstanceGroupProps): CfnAutoScalingGroup.MixedInstancesPolicyProperty {
  return {
    instancesDistribution: {
      onDemandBaseCapacity: fleet.onDemandBaseCapacity,
      onDemandPercentageAboveBaseCapacity: fleet.onDemandPercentage,
      onDemandAllocationStrategy: 'prioritized',
      spotAllocationStrategy: 'price-capacity-optimized',
    },
    launchTemplate: {
      launchTemplateSpecification: {
        launchTemplateId: template.ref,
        version: template.attrLatestVersionNumber,
      },
      overrides: instanceTypes.map((instanceType) => ({ instanceType })),
    },
  };
}

/** An instance counts when its worker is ready, and goes when its worker has drained, or had the time to. */
const HOOKS: CfnAutoScalingGroup.LifecycleHookSpecificationProperty[] = [
  {
    lifecycleHookName: 'ready',
    lifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
    heartbeatTimeout: READY_HEARTBEAT_SECONDS,
    defaultResult: 'ABANDON',
  },
  {
    lifecycleHookName: 'drain',
    lifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
    heartbeatTimeout: DRAIN_HEARTBEAT_SECONDS,
    defaultResult: 'CONTINUE',
  },
];
