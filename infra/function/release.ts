import { Stack, Validations } from 'aws-cdk-lib';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Alias, type IFunction, type IVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { StackConfig } from '../stage-config.ts';

/**
 * What callers of a function get: the function itself, or with `release` an alias whose version CodeDeploy changes for a
 * tenth of the calls first. After a quarter of an hour, in which the alarm has time to go off, it changes it for all; when the
 * alarm goes off before, it changes it back, and CloudFormation rolls the deploy back.
 *
 * @param alarmId that of an alarm of the stack, see `monitoring/alarm-specification.ts`
 */
export function released(
  scope: Construct,
  made: LambdaFunction,
  { config: { release }, alarmId }: { config: StackConfig; alarmId: string },
): IFunction {
  if (release === undefined) return made;
  // Their types are those of the interfaces, but for optional properties that may be undefined.
  const alias = new Alias(scope, 'Live', { aliasName: 'live', version: made.currentVersion as IVersion });
  const group = new LambdaDeploymentGroup(scope, 'Release', {
    alias,
    deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_15MINUTES,
    alarms: [Alarm.fromAlarmName(scope, 'ReleaseAlarm', `${Stack.of(scope).stackName}-${alarmId}`)],
  });
  Validations.of(group).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
    reason: 'What CodeDeploy needs to change aliases: AWS keeps this policy for that.',
  });
  return alias as IFunction;
}
