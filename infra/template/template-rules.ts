import { type CfnParameter, CfnRule, Fn, type ICfnConditionExpression } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { TemplateParameters } from './template-parameters.ts';

/** Adds what parameters must be together; CloudFormation checks it before it creates anything. A stage refuses the same. */
export function addTemplateRules(scope: Construct, parameters: TemplateParameters): void {
  const { SubnetIds, SecurityGroupIds, AllowedHosts } = parameters;
  needs(scope, SubnetIds, SecurityGroupIds, 'expected SecurityGroupIds, too: functions in subnets need them');
  needs(scope, SecurityGroupIds, SubnetIds, 'expected SubnetIds, too: the security groups are of functions in them');
  needs(scope, AllowedHosts, SubnetIds, 'expected SubnetIds, too: outside of a VPC no private address can be reached');
}

function needs(scope: Construct, given: CfnParameter, needed: CfnParameter, assertDescription: string): void {
  new CfnRule(scope, `${given.node.id}Need${needed.node.id}`, {
    ruleCondition: isGivenInRule(given),
    assertions: [{ assert: isGivenInRule(needed), assertDescription }],
  });
}

/** Rules have functions of their own: `Fn::Join`, which conditions use, is not among them. */
function isGivenInRule({ valueAsList }: CfnParameter): ICfnConditionExpression {
  return Fn.conditionNot(Fn.conditionEachMemberEquals(valueAsList, ''));
}
