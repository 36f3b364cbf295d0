import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { MAX_TAGS } from '../../../infra/account-config.ts';
import {
  DRAIN_HEARTBEAT_SECONDS,
  DRAIN_SECONDS,
  READY_HEARTBEAT_SECONDS,
  READY_SECONDS,
  STOP_TIMEOUT_SECONDS,
} from '../../../infra/fleet/drain.ts';
import { StageConfigError, stageConfig } from '../../../infra/stage-config.ts';
import { workSettingsFrom } from '../../../worker/work-settings.ts';
import { templateOf } from '../synthesized.ts';

const fleet = templateOf({ fleet: {} });
const VPC = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };

function only(template: typeof fleet, type: string): Record<string, unknown> {
  const found = Object.values(template.findResources(type));
  expect(found).toHaveLength(1);
  return found[0]?.['Properties'] as Record<string, unknown>;
}

describe('the instances of a fleet', () => {
  test('give credentials only to their own processes, and encrypt everything', () => {
    fleet.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: {
        KeyName: Match.absent(),
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [{ Ebs: { Encrypted: true, VolumeType: 'gp3', DeleteOnTermination: true } }],
        InstanceInitiatedShutdownBehavior: 'terminate',
      },
    });
  });

  test.each([
    ['x86_64', 'c7a.xlarge'],
    ['arm64', 'c7g.xlarge'],
  ])('have processors and an image for %s, as configured', (architecture, type) => {
    const made = templateOf({ architecture, fleet: {} });
    made.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: { ImageId: Match.stringLikeRegexp(`^resolve:ssm:/aws/service/.*al2023.*-${architecture}$`) },
    });
    expect(JSON.stringify(only(made, 'AWS::AutoScaling::AutoScalingGroup'))).toContain(`"InstanceType":"${type}"`);
  });

  test('are Spot instances of several types by default', () => {
    const { InstancesDistribution, LaunchTemplate } = only(fleet, 'AWS::AutoScaling::AutoScalingGroup')[
      'MixedInstancesPolicy'
    ] as Record<string, { Overrides: object[] }>;
    expect(InstancesDistribution).toMatchObject({
      OnDemandBaseCapacity: 0,
      OnDemandPercentageAboveBaseCapacity: 0,
      SpotAllocationStrategy: 'price-capacity-optimized',
    });
    expect(LaunchTemplate?.Overrides.length).toBeGreaterThanOrEqual(4);
  });

  test('have volumes with the tags of the stage', () => {
    const made = templateOf({ fleet: {}, tags: { 'cost-center': '4711' } });
    made.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: {
        TagSpecifications: [
          {
            ResourceType: 'volume',
            Tags: Match.arrayWith([
              { Key: 'cost-center', Value: '4711' },
              { Key: 'stage', Value: 'test' },
            ]),
          },
        ],
      },
    });
  });

  test('have no more tags than AWS allows, with the maximum of a stage', () => {
    const tags = Object.fromEntries(Array.from({ length: MAX_TAGS }, (_, index) => [`tag-${index}`, 'value']));
    const { Tags } = only(templateOf({ fleet: {}, tags }), 'AWS::AutoScaling::AutoScalingGroup');
    expect(Tags).toHaveLength(50);
  });

  test('may read the length of both queues, for their metrics', () => {
    const roles = JSON.stringify(fleet.findResources('AWS::IAM::Role', { Properties: { Policies: Match.anyValue() } }));
    expect(roles).toMatch(
      /"sqs:GetQueueAttributes","Effect":"Allow","Resource":\{"Fn::GetAtt":\["\w*DeadLetter\w*","Arn"\]/,
    );
  });

  test('scale from 0 and to 0, and a deploy does not change their number', () => {
    fleet.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
      MinSize: '0',
      MaxSize: '10',
      DesiredCapacity: Match.absent(),
    });
  });
});

describe('the network of a fleet', () => {
  test('allows no inbound traffic, and outbound only to images and AWS', () => {
    fleet.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    const { SecurityGroupIngress, SecurityGroupEgress } = only(fleet, 'AWS::EC2::SecurityGroup') as {
      SecurityGroupIngress?: object;
      SecurityGroupEgress?: { FromPort: number; ToPort: number; IpProtocol: string }[];
    };
    expect(SecurityGroupIngress).toBeUndefined();
    const ports = SecurityGroupEgress?.map(({ FromPort, ToPort, IpProtocol }) => `${IpProtocol} ${FromPort}-${ToPort}`);
    expect(ports).toEqual(['tcp 80-80', 'tcp 443-443']);
  });

  test('has no NAT gateway, and a free gateway endpoint to S3', () => {
    fleet.resourceCountIs('AWS::EC2::NatGateway', 0);
    fleet.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    fleet.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: true });
  });

  test.each([
    ['the fleet names', { fleet: { vpc: VPC } }],
    ['the stage names', { vpc: VPC, fleet: {} }],
  ])('is the one that %s, and then none is created', (_whose, config) => {
    const made = templateOf(config);
    made.resourceCountIs('AWS::EC2::VPC', 0);
    made.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { VPCZoneIdentifier: VPC.subnetIds });
    made.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: { SecurityGroupIds: VPC.securityGroupIds },
    });
  });
});

test('instances start after the internet route exists, and end before it is deleted', () => {
  const logicalIds = (type: string) => Object.keys(fleet.findResources(type));
  const [group] = Object.values(fleet.findResources('AWS::AutoScaling::AutoScalingGroup'));
  const routes = [...logicalIds('AWS::EC2::Route'), ...logicalIds('AWS::EC2::SubnetRouteTableAssociation')];
  expect(routes).toHaveLength(4);
  expect(group?.['DependsOn'].toSorted()).toEqual(routes.toSorted());
  for (const route of Object.values(fleet.findResources('AWS::EC2::Route')))
    expect(route['DependsOn']).toEqual(logicalIds('AWS::EC2::VPCGatewayAttachment'));
});

describe('the switch between Lambda and fleet', () => {
  test.each([
    [undefined, true, undefined],
    ['fleet', false, '10'],
    ['both', true, '10'],
    ['lambda', true, '0'],
  ])('%s: Lambda takes messages: %s; instances at most: %s', (queue, isOfLambda, maxSize) => {
    const made = templateOf(queue === undefined ? {} : { fleet: { queue } });
    made.hasResourceProperties('AWS::Lambda::EventSourceMapping', { Enabled: isOfLambda });
    if (maxSize === undefined) made.resourceCountIs('AWS::AutoScaling::AutoScalingGroup', 0);
    else made.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { MaxSize: maxSize });
  });
});

describe('the end of an instance', () => {
  test('leaves the worker time to drain before systemd, the group and EC2 end it', () => {
    expect(DRAIN_SECONDS).toBeLessThan(STOP_TIMEOUT_SECONDS);
    expect(STOP_TIMEOUT_SECONDS).toBeLessThan(120);
    expect(STOP_TIMEOUT_SECONDS).toBeLessThan(DRAIN_HEARTBEAT_SECONDS);
    expect(READY_SECONDS).toBeLessThan(READY_HEARTBEAT_SECONDS);
    fleet.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
      CapacityRebalance: true,
      LifecycleHookSpecificationList: [
        { LifecycleHookName: 'ready', HeartbeatTimeout: READY_HEARTBEAT_SECONDS, DefaultResult: 'ABANDON' },
        { LifecycleHookName: 'drain', HeartbeatTimeout: DRAIN_HEARTBEAT_SECONDS, DefaultResult: 'CONTINUE' },
      ],
    });
  });
});

describe('a stage’s file', () => {
  test.each([
    ['types of the other architecture', { instanceTypes: ['c7g.large'] }, /x86_64 processors.+got c7g\.large/],
    ['types of several sizes', { instanceTypes: ['c7a.large', 'c8a.xlarge'] }, /types of one size/],
    ['no way to AWS', { outboundPorts: [80] }, /expected 443 among them/],
    ['something that is not a type', { instanceTypes: ['large'] }, /expected an instance type/],
    ['types without room for a process per vCPU', { instanceTypes: ['t3.micro'] }, /at least 2 GB of memory per vCPU/],
    ['another taker', { queue: 'nobody' }, /fleet\.queue/],
  ])('with %s is refused', (_what, options, message) => {
    expect(() => stageConfig('test', { fleet: options })).toThrow(StageConfigError);
    expect(() => stageConfig('test', { fleet: options })).toThrow(message);
  });
});

describe('a worker of the fleet', () => {
  test('has the settings of the worker on Lambda', () => {
    const config = {
      ...{ jobEvents: true, topK: 3, embedding: true, modelPrecision: 'float32', fetchUserAgent: 'shop/1.0' },
      ...{ sourceBuckets: ['photos'], allowedHosts: ['a:80'], vpc: VPC, fleet: {} },
    };
    const made = templateOf(config);
    const classify = Object.values(made.findResources('AWS::Lambda::Function')).find(
      ({ Properties }) => Properties.Handler === 'index.handler',
    );
    const userData = JSON.stringify(only(made, 'AWS::EC2::LaunchTemplate'));
    const variables = Object.entries(classify?.['Properties'].Environment.Variables as Record<string, unknown>);
    expect(variables.map(([name]) => name)).toEqual(expect.arrayContaining(['EMBEDDING', 'TOP_K', 'ALLOWED_HOSTS']));
    for (const [name, value] of variables) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const isThere = userData.includes(`${name}=\\"`) && userData.includes(text);
      if (text.startsWith('{"Fn::Join')) expect(userData).toContain(`${name}=\\"`);
      else expect({ name, isThere }).toEqual({ name, isThere: true });
    }
  });

  test('keeps working on an instance with a rebalance recommendation, until the group terminates it', () => {
    expect(JSON.stringify(only(fleet, 'AWS::EC2::LaunchTemplate'))).toContain('WORK_SPOT=\\"interruption\\"');
    const { spot } = workSettingsFrom({ ...QUEUES, WORK_SPOT: 'interruption' });
    expect(spot).toBe('interruption');
  });
});

const QUEUES = {
  QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/queue',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/dlq',
  RESULTS_BUCKET: 'results',
};
