import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Code, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { SWEEP_INTERVAL_MINUTES, SWEEP_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { encryptionKeyStatements } from '../encryption.ts';
import { packagedFunction } from '../function/packaged-function.ts';
import { acknowledgeObjects, logStatements, type ObjectPatterns, resultStatements } from '../function/permissions.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { ServiceConfig } from '../service-config.ts';

/** Forty messages of 1 MiB at once, parsed. */
export const SWEEP_MEMORY_MB = 1_024;

const WRITES: ObjectPatterns = {
  'failures/*': 'The names of part files are made of the ids in them.',
};
const READS: ObjectPatterns = {
  'jobs/*': 'Descriptions of jobs, and when they were redriven, lie there, whatever the name of the job.',
  'cancelled/*': 'Whether a run was cancelled, whatever the name of its job.',
  'results/*': 'The ids of a job are read where the names of its files do not prove that it is complete.',
  'failures/*': 'Images that have a failure keep it, whatever the name of their job.',
};

export type SweepProps = {
  config: ServiceConfig;
  code: Code;
  queues: Queues;
  results: Bucket;
};

/**
 * Gives images an outcome whose messages AWS moved to the DLQ by itself: a schedule, and a function that looks at the DLQ and
 * leaves it as it is.
 */
export class Sweep extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, code, queues, results }: SweepProps) {
    super(scope, id);
    const made = packagedFunction(this, {
      config,
      description: 'labelqueue: writes the failures of messages that AWS moved to the dead-letter queue',
      code,
      handler: 'sweep.handler',
      memoryMb: SWEEP_MEMORY_MB,
      timeoutSeconds: SWEEP_TIMEOUT_SECONDS,
      policyName: 'sweep',
      statements: (logGroup) => [
        ...logStatements(logGroup),
        ...queueStatements(queues),
        ...resultStatements(results, WRITES, READS),
        ...encryptionKeyStatements(config),
      ],
      environment: {
        QUEUE_URL: queues.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: queues.deadLetterQueue.queueUrl,
        RESULTS_BUCKET: results.bucketName,
        POWERTOOLS_SERVICE_NAME: `${config.serviceName}-sweep`,
      },
    });
    this.function = made.function;
    this.logGroup = made.logGroup;
    acknowledgeObjects(made.role, results, { ...WRITES, ...READS });
    // The next one looks at the same letters. Lambda would try again by itself, besides what EventBridge does.
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(SWEEP_INTERVAL_MINUTES) };
    this.function.configureAsyncInvoke(once);
    new Rule(this, 'Schedule', {
      description: 'Looks for images whose messages AWS moved to the dead-letter queue by itself',
      schedule: Schedule.rate(Duration.minutes(SWEEP_INTERVAL_MINUTES)),
      targets: [new FunctionTarget(this.function, once)],
    });
  }
}

/** It looks at letters and puts them back; of the queue of images it knows how many messages are in it. */
function queueStatements({ queue, deadLetterQueue }: Queues): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ['sqs:GetQueueAttributes'],
      resources: [queue.queueArn, deadLetterQueue.queueArn],
    }),
    new PolicyStatement({
      actions: ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
      resources: [deadLetterQueue.queueArn],
    }),
  ];
}
