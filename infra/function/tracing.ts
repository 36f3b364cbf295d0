import { Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { type CfnFunction, type Function as LambdaFunction, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { ServiceConfig } from '../service-config.ts';

/** X-Ray's two actions for senders know no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html */
export function tracingStatements({ tracing }: ServiceConfig): PolicyStatement[] {
  if (tracing === undefined) return [];
  return [new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] })];
}

/** Has Lambda send its segments: when an invocation waited, started and ran. */
export function trace(traced: LambdaFunction, role: Role, { tracing }: ServiceConfig): void {
  if (tracing === undefined) return;
  (traced.node.defaultChild as CfnFunction).tracingConfig = { mode: Tracing.ACTIVE };
  Validations.of(role).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
    reason: 'Segments are sent to X-Ray as a whole: its actions for senders know no resources.',
  });
}
