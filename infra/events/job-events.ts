import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Code, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { DeduplicationScope, FifoThroughputLimit, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  ANNOUNCE_TIMEOUT_SECONDS,
  END_LOOK_DELAY_SECONDS,
  END_LOOK_RECEIVES,
  END_LOOK_VISIBILITY_SECONDS,
} from '../../shared/contract/limits.ts';
import { encryptionKeyStatements, queueEncryption } from '../encryption.ts';
import { packagedFunction } from '../function/packaged-function.ts';
import { acknowledgeObjects, logStatements, type ObjectPatterns, resultStatements } from '../function/permissions.ts';
import { RETENTION } from '../queue/job-queues.ts';
import type { StackConfig } from '../stage-config.ts';
import type { JobEventsConfig } from './events-config.ts';

/** EventBridge has it in each account and region, and nothing is paid for it. */
const BUS = 'default';
/** Lists names of files and adds them up: no model, no images. */
export const ANNOUNCE_MEMORY_MB = 512;
/** The least that Lambda takes. Runs that end at the same moment wait for each other for a second or two. */
const LOOKS_AT_ONCE = 2;

/** Objects of the results bucket that it writes. */
const WRITES: ObjectPatterns = {
  'jobs/*/end.json': 'How a run ended is written down there, whatever the name of its job.',
};
/** And those that it reads. */
const READS: ObjectPatterns = {
  'jobs/*': 'Descriptions of jobs and how their runs ended lie there, whatever the name of the job.',
  'cancelled/*': 'Whether a run was cancelled, whatever the name of its job.',
  'results/*': 'The ids of a job are read where the names of its files do not prove that it is complete.',
  'failures/*': 'The ids of a job are read where the names of its files do not prove that it is complete.',
};

export type JobEventsProps = {
  config: StackConfig;
  jobEvents: JobEventsConfig;
  code: Code;
  results: Bucket;
};

/**
 * What announces the ends of runs: a queue of looks, and the function that looks. Workers and producers need nothing but
 * the right to ask for looks; see docs/decisions/job-end-events.md.
 */
export class JobEvents extends Construct {
  readonly function: LambdaFunction;
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly topic: Topic | undefined;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, jobEvents, code, results }: JobEventsProps) {
    super(scope, id);
    const { encryptionKey } = config;
    const common = {
      ...queueEncryption(encryptionKey),
      enforceSSL: true,
      fifo: true,
      // 300 requests per second for all runs together otherwise: a throttled request would put off the lines of images.
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      retentionPeriod: RETENTION,
    };
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', common);
    this.queue = new Queue(this, 'Queue', {
      ...common,
      deliveryDelay: Duration.seconds(END_LOOK_DELAY_SECONDS),
      visibilityTimeout: Duration.seconds(END_LOOK_VISIBILITY_SECONDS),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: END_LOOK_RECEIVES },
    });
    this.topic = jobEvents.topic
      ? new Topic(this, 'Topic', { enforceSSL: true, ...(encryptionKey !== undefined && { masterKey: encryptionKey }) })
      : undefined;
    const { topic } = this;
    const made = packagedFunction(this, {
      config,
      description: 'labelqueue: announces the ends of jobs',
      code,
      handler: 'announce.handler',
      memoryMb: ANNOUNCE_MEMORY_MB,
      timeoutSeconds: ANNOUNCE_TIMEOUT_SECONDS,
      policyName: 'announce',
      statements: (logGroup) => [
        ...logStatements(logGroup),
        ...resultStatements(results, WRITES, READS),
        ...encryptionKeyStatements(config),
        ...announcementStatements(jobEvents, topic),
      ],
      environment: {
        RESULTS_BUCKET: results.bucketName,
        JOB_END_QUEUE_URL: this.queue.queueUrl,
        JOB_EVENT_BUS: BUS,
        ...(topic !== undefined && { JOB_EVENT_TOPIC_ARN: topic.topicArn }),
        ...(jobEvents.webhookSecretParameter !== undefined && {
          WEBHOOK_SECRET_PARAMETER: jobEvents.webhookSecretParameter,
        }),
        ...(config.allowedHosts !== undefined && { ALLOWED_HOSTS: config.allowedHosts.join(',') }),
        ...(config.fetchUserAgent !== undefined && { FETCH_USER_AGENT: config.fetchUserAgent }),
        POWERTOOLS_SERVICE_NAME: `${config.serviceName}-announce`,
      },
    });
    this.function = made.function;
    this.logGroup = made.logGroup;
    acknowledgeObjects(made.role, results, { ...WRITES, ...READS });
    // One at a time: a look that waits for something must not take others with it.
    this.function.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: LOOKS_AT_ONCE }),
    );
  }

  /** Lets a function ask for looks. */
  askedBy(asking: LambdaFunction): void {
    asking.addEnvironment('JOB_END_QUEUE_URL', this.queue.queueUrl);
    // Not `grantSendMessages`, which allows to read the queue's attributes as well.
    this.queue.grant(asking, 'sqs:SendMessage');
  }
}

function announcementStatements(
  { webhookSecretParameter }: JobEventsConfig,
  topic: Topic | undefined,
): PolicyStatement[] {
  const own = `${Aws.REGION}:${Aws.ACCOUNT_ID}`;
  const statements = [
    new PolicyStatement({
      actions: ['events:PutEvents'],
      resources: [`arn:${Aws.PARTITION}:events:${own}:event-bus/${BUS}`],
      conditions: { StringEquals: { 'events:source': 'labelqueue' } },
    }),
  ];
  if (topic !== undefined)
    statements.push(new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }));
  if (webhookSecretParameter !== undefined) {
    const parameter = `arn:${Aws.PARTITION}:ssm:${own}:parameter/${webhookSecretParameter.replace(/^\//, '')}`;
    // The default key of SSM needs no permission of its own.
    statements.push(new PolicyStatement({ actions: ['ssm:GetParameter'], resources: [parameter] }));
  }
  return statements;
}
