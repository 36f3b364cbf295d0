import { Fn, Validations } from 'aws-cdk-lib';
import {
  CfnRoute,
  CfnSubnetRouteTableAssociation,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct, IConstruct, IDependable } from 'constructs';
import type { StackConfig } from '../stage-config.ts';
import type { FleetConfig } from './fleet-config.ts';

/** Where instances run, and what they may reach. */
export type FleetNetwork = {
  subnetIds: string[];
  securityGroupIds: string[];
  /** Routes of the subnets, where the stack makes and deletes them: instances must come after these, and go before them. */
  ways: readonly IDependable[];
};

/** Room for 1,000 instances and more in each of two zones. */
const ADDRESSES = '10.0.0.0/20';
/** Each region has two; CloudFormation fails to select a third where there is none. */
const ZONES = [0, 1];

/** The network that the fleet's options name, the stage's, or one of the fleet's own. */
export function fleetNetwork(scope: Construct, config: StackConfig, fleet: FleetConfig): FleetNetwork {
  const given = fleet.vpc ?? config.vpc;
  return given === undefined ? ownNetwork(scope, fleet.outboundPorts) : { ...given, ways: [] };
}

/**
 * Public subnets, and nothing that costs by the hour: a NAT gateway would take $0.045 per GB of images. No inbound port is
 * open. S3 is reached by a gateway endpoint, which is free.
 */
function ownNetwork(scope: Construct, outboundPorts: readonly number[]): FleetNetwork {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr(ADDRESSES),
    availabilityZones: ZONES.map((index) => Fn.select(index, Fn.getAzs())),
    natGateways: 0,
    subnetConfiguration: [{ name: 'Public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: true }],
    gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    // It would take a function of its own, and no instance is in that group.
    restrictDefaultSecurityGroup: false,
  });
  Validations.of(vpc).acknowledge({
    id: 'AwsSolutions::AwsSolutions-VPC7',
    reason: 'Nothing comes in. What goes out are the URLs of the jobs, which the results name already.',
  });
  return {
    subnetIds: vpc.publicSubnets.map(({ subnetId }) => subnetId),
    securityGroupIds: [outboundOnly(scope, vpc, outboundPorts).securityGroupId],
    ways: vpc.publicSubnets.flatMap(({ node }) => node.children.filter(isWay)),
  };
}

/** The subnets themselves are named by the group: that it must wait for them is known. */
function isWay(part: IConstruct): boolean {
  return part instanceof CfnRoute || part instanceof CfnSubnetRouteTableAssociation;
}

/**
 * Security groups filter neither the VPC's resolver nor the time nor the metadata of instances, so none of these needs a
 * rule. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
 */
function outboundOnly(scope: Construct, vpc: Vpc, ports: readonly number[]): SecurityGroup {
  const group = new SecurityGroup(scope, 'Outbound', {
    // Its type is that of the interface, but for optional properties that may be undefined.
    vpc: vpc as IVpc,
    description: 'labelqueue: workers fetch images and reach AWS; nothing comes in',
    allowAllOutbound: false,
  });
  for (const port of new Set(ports)) group.addEgressRule(Peer.anyIpv4(), Port.tcp(port), `images, port ${port}`);
  return group;
}
