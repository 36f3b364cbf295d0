import { Aws, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { METRIC_NAMESPACE } from '../../shared/contract/metric-names.ts';
import { acknowledgeWildcards, asNagWrites, type FunctionResources, wildcardOf } from '../function/permissions.ts';
import { WORKER_WRITES, workerStatements } from '../worker/permissions.ts';

export type InstanceRoleProps = FunctionResources & {
  /** What an instance fetches when it starts. */
  assets: readonly Asset[];
  groupName: string;
  /** Undefined for a stage that announces no ends of jobs. */
  jobEndQueue: IQueue | undefined;
  ssmAccess: boolean;
};

/** What an instance may do: what the worker on Lambda may, what Lambda does for it there, and what its start and end take. */
export function instanceRole(scope: Construct, props: InstanceRoleProps): Role {
  const group = groupArn(scope, props.groupName);
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    inlinePolicies: {
      worker: new PolicyDocument({
        statements: [...workerStatements(props), ...pollingStatements(props)],
      }),
      instance: new PolicyDocument({ statements: [...startStatements(props), ...endStatements(group)] }),
    },
  });
  acknowledgeWildcards(role, props, WORKER_WRITES);
  Validations.of(role).acknowledge(
    {
      id: wildcardOf(asNagWrites(scope, group)),
      reason: 'A group has a random id before its name.',
    },
    { id: wildcardOf('*'), reason: 'PutMetricData knows no resources: a condition names the namespace.' },
  );
  if (props.ssmAccess) allowSessions(role);
  return role;
}

/** What Lambda's event source does with a queue; and looks at ends of jobs, which the stage grants functions elsewhere. */
function pollingStatements({ queues: { queue, deadLetterQueue }, jobEndQueue }: InstanceRoleProps): PolicyStatement[] {
  const actions = ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'];
  return [
    new PolicyStatement({ actions: actions.map((action) => `sqs:${action}`), resources: [queue.queueArn] }),
    // Its depth is in the worker's `/metrics`.
    new PolicyStatement({ actions: ['sqs:GetQueueAttributes'], resources: [deadLetterQueue.queueArn] }),
    ...(jobEndQueue === undefined
      ? []
      : [new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [jobEndQueue.queueArn] })]),
  ];
}

function startStatements({ assets }: InstanceRoleProps): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ['s3:GetObject'],
      resources: assets.map(({ bucket, s3ObjectKey }) => bucket.arnForObjects(s3ObjectKey)),
    }),
  ];
}

function endStatements(group: string): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: ['autoscaling:CompleteLifecycleAction'], resources: [group] }),
    new PolicyStatement({
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': METRIC_NAMESPACE } },
    }),
  ];
}

function groupArn(scope: Construct, name: string): string {
  const { region, account } = Stack.of(scope);
  return `arn:${Aws.PARTITION}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${name}`;
}

function allowSessions(role: Role): void {
  role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'));
  Validations.of(role).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]',
    reason: 'The stage asks for sessions on the instances: AWS keeps this policy for that.',
  });
}
