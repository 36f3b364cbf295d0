import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { encryptionKeyStatements } from './encryption.ts';
import type { JobEvents } from './events/job-events.ts';
import { acknowledgeObjects, type ObjectPatterns, wildcardOf } from './function/permissions.ts';
import type { Queues } from './queue/job-queues.ts';
import type { StackConfig } from './stage-config.ts';

export type AccessPoliciesProps = {
  config: StackConfig;
  queues: Queues;
  results: Bucket;
  logGroups: readonly LogGroup[];
  /** What announces ends of jobs; undefined for a stage without. */
  jobEvents: Pick<JobEvents, 'queue' | 'deadLetterQueue'> | undefined;
};

/** All that commands read of a job. */
const READ = ['results/*', 'failures/*', 'jobs/*', 'cancelled/*', 'runs/*'];
/** What a job consists of, and failures that `wait` writes of messages that SQS moved by itself. */
const WRITTEN_BY_ENQUEUERS = ['jobs/*', 'runs/*', 'failures/*'];
/** Marks of runs that `cancel` and `purge` end. */
const WRITTEN_BY_OPERATORS = ['cancelled/*'];
/** What `purge` and `redrive` take away. */
const DELETED_BY_OPERATORS = ['results/*', 'failures/*', 'jobs/*', 'runs/*'];

const ANY_JOB = 'Their names are those of jobs and of what is in them: these people work with all jobs of the stage.';
const ANY_OBJECT: ObjectPatterns = Object.fromEntries(
  [...READ, ...WRITTEN_BY_ENQUEUERS].map((pattern) => [pattern, ANY_JOB]),
);

/**
 * CloudWatch knows no resources for metrics, and AWS asks for `*` where alarms are described by the beginning of their names.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
 */
const METRICS_AND_ALARMS = ['cloudwatch:GetMetricData', 'cloudwatch:DescribeAlarms'];
const ANY_METRIC = {
  id: wildcardOf('*'),
  reason: 'Figures and states of alarms can only be read of a whole account and region.',
};

/**
 * Managed policies for people and programs that use a stage, each with the rights of the one before: to look, to enqueue, to
 * operate. `test/infra/access-policies.test.ts` holds them to what the commands ask of AWS.
 */
export class AccessPolicies extends Construct {
  constructor(scope: Construct, id: string, props: AccessPoliciesProps) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    const reader = readerStatements(props);
    const enqueuer = [...reader, ...enqueuerStatements(props)];
    const operator = [...enqueuer, ...operatorStatements(props)];
    const policies = [
      this.#policy('Reader', `Looks at jobs and results of ${stackName}`, reader),
      this.#policy('Enqueuer', `Enqueues jobs of ${stackName}, and looks at them`, enqueuer),
      this.#policy('Operator', `Enqueues, redrives, cancels and purges jobs of ${stackName}`, operator),
    ];
    for (const policy of policies) {
      acknowledgeObjects(policy, props.results, ANY_OBJECT);
      Validations.of(policy).acknowledge(ANY_METRIC);
    }
  }

  #policy(name: string, description: string, statements: PolicyStatement[]): ManagedPolicy {
    const policy = new ManagedPolicy(this, name, { description, statements: statements.map((one) => one.copy()) });
    new CfnOutput(Stack.of(this), `${name}PolicyArn`, { value: policy.managedPolicyArn });
    return policy;
  }
}

function readerStatements({
  config,
  queues: { queue, deadLetterQueue },
  results,
}: AccessPoliciesProps): PolicyStatement[] {
  const { encryptionKey } = config;
  return [
    // `--stack` reads the outputs.
    statement(['cloudformation:DescribeStacks'], [Stack.of(results).stackId]),
    statement(['s3:ListBucket'], [results.bucketArn]),
    statement(['s3:GetObject'], objects(results, READ)),
    statement(['sqs:GetQueueAttributes'], [queue.queueArn, deadLetterQueue.queueArn]),
    // The stages' times, the queue's history and the alarms of `dashboard`.
    statement(METRICS_AND_ALARMS, ['*']),
    ...(encryptionKey === undefined ? [] : [statement(['kms:Decrypt'], [encryptionKey.keyArn])]),
  ];
}

function enqueuerStatements({
  config,
  queues: { queue, deadLetterQueue },
  results,
  jobEvents,
}: AccessPoliciesProps): PolicyStatement[] {
  return [
    statement(['s3:PutObject'], objects(results, WRITTEN_BY_ENQUEUERS)),
    statement(
      ['sqs:SendMessage'],
      [queue, ...(jobEvents === undefined ? [] : [jobEvents.queue])].map((one) => one.queueArn),
    ),
    // `wait` looks for messages that SQS moved by itself, and puts them back.
    statement(['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'], [deadLetterQueue.queueArn]),
    ...encryptionKeyStatements(config),
  ];
}

function operatorStatements({
  queues: { deadLetterQueue },
  results,
  logGroups,
  jobEvents,
}: AccessPoliciesProps): PolicyStatement[] {
  return [
    statement(['s3:PutObject'], objects(results, WRITTEN_BY_OPERATORS)),
    statement(['s3:DeleteObject'], objects(results, DELETED_BY_OPERATORS)),
    statement(['sqs:DeleteMessage'], [deadLetterQueue.queueArn]),
    // `bench`, and most of the runbook.
    statement(
      ['logs:FilterLogEvents'],
      logGroups.map(({ logGroupArn }) => logGroupArn),
    ),
    ...(jobEvents === undefined ? [] : [unannouncedEnds(jobEvents)]),
  ];
}

/**
 * To look at looks that failed permanently, and to move them back. SQS moves messages with the rights of the caller;
 * `SendMessage` to the queue of looks is an enqueuer's.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
 */
function unannouncedEnds({ deadLetterQueue }: Pick<JobEvents, 'deadLetterQueue'>): PolicyStatement {
  const actions = [
    ...['sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'],
    ...['sqs:StartMessageMoveTask', 'sqs:ListMessageMoveTasks', 'sqs:CancelMessageMoveTask'],
  ];
  return statement(actions, [deadLetterQueue.queueArn]);
}

function objects(bucket: Bucket, patterns: readonly string[]): string[] {
  return patterns.map((pattern) => bucket.arnForObjects(pattern));
}

function statement(actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources });
}
