import { Validations } from 'aws-cdk-lib';
import { Effect, Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ServiceConfig } from '../service-config.ts';

/**
 * What Lambda does with a function's role to put it into a VPC: the actions of AWSLambdaVPCAccessExecutionRole.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
const INTERFACE_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

const ANY_INTERFACE = 'Lambda makes and removes the interfaces of a function; it names none of them beforehand.';

/** None for a function outside of a VPC. */
export function networkStatements({ vpc }: Pick<ServiceConfig, 'vpc'>): PolicyStatement[] {
  return vpc === undefined ? [] : [interfaceStatement()];
}

/** For the role of a function in a VPC. */
export function interfaceStatement(): PolicyStatement {
  return new PolicyStatement({ actions: INTERFACE_ACTIONS, resources: ['*'] });
}

/** Denies to the function's own code what its role needs for Lambda. */
export function noInterfacesByCode({ functionArn }: Pick<LambdaFunction, 'functionArn'>): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.DENY,
    actions: INTERFACE_ACTIONS,
    resources: ['*'],
    conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
  });
}

/** Puts a function into the VPC of its stage. Its own code may not use what Lambda needs for that. */
export function placeInVpc(placed: LambdaFunction, role: Role, { vpc }: ServiceConfig): void {
  if (vpc === undefined) return;
  (placed.node.defaultChild as CfnFunction).vpcConfig = {
    subnetIds: vpc.subnetIds,
    securityGroupIds: vpc.securityGroupIds,
  };
  const notByItself = new Policy(placed, 'NoInterfacesByCode', {
    statements: [noInterfacesByCode(placed)],
    roles: [role],
  });
  for (const construct of [role, notByItself]) {
    Validations.of(construct).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: ANY_INTERFACE,
    });
  }
}
