import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type CfnFunction,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { WORKER_PROCESS_ENVIRONMENT } from '../shared/contract/worker-process.ts';
import type { JobQueues } from './job-queues.ts';
import { DEFAULT_MAXIMUM_CONCURRENCY, type StageConfig } from './stage-config.ts';
import { acknowledgeWildcards, workerStatements } from './worker-permissions.ts';

/** TensorFlow's libraries unpacked, and room for another model. */
const EPHEMERAL_STORAGE = Size.mebibytes(1_024);

export type ClassifyWorkerProps = {
  config: StageConfig;
  /** Path of the zip that `npm run package` makes. */
  packagePath: string;
  queues: JobQueues;
  results: Bucket;
};

/**
 * The worker and what feeds it. No concurrency is reserved: when Lambda throttles such a function, SQS
 * counts deliveries that never were and moves good messages to the DLQ. The event source's own maximum
 * holds messages back in the queue instead.
 */
export class ClassifyWorker extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, packagePath, queues, results }: ClassifyWorkerProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        worker: new PolicyDocument({
          statements: workerStatements({ config, queues, results, logGroup: this.logGroup }),
        }),
      },
    });
    acknowledgeWildcards(role, { results, config });
    this.function = new LambdaFunction(this, 'Function', {
      description: 'labelqueue: labels the images of messages and writes JSON lines to S3',
      runtime: Runtime.NODEJS_24_X,
      // The package has the binaries of the machine that made it.
      architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code: Code.fromAsset(packagePath),
      handler: 'index.handler',
      memorySize: config.memoryMb,
      ephemeralStorageSize: EPHEMERAL_STORAGE,
      timeout: Duration.seconds(FUNCTION_TIMEOUT_SECONDS),
      role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.TEXT,
      environment: environmentOf(config, queues, results, Stack.of(this).stackName),
    });
    // The CDK lets a function wait for its role although it names the role: no harm, and none of our doing.
    (this.function.node.defaultChild as CfnFunction).addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
    this.function.addEventSource(
      new SqsEventSource(queues.queue, {
        batchSize: config.batchSize,
        ...(config.batchWindowSeconds > 0 && { maxBatchingWindow: Duration.seconds(config.batchWindowSeconds) }),
        reportBatchItemFailures: true,
        ...scalingOf(config),
      }),
    );
  }
}

function scalingOf({ maximumConcurrency, provisionedPollers }: StageConfig) {
  if (provisionedPollers === undefined) return { maxConcurrency: maximumConcurrency ?? DEFAULT_MAXIMUM_CONCURRENCY };
  const { minimum, maximum } = provisionedPollers;
  return { provisionedPollerConfig: { minimumPollers: minimum, maximumPollers: maximum } };
}

function environmentOf(
  { topK, sourceBuckets, model, modelPrecision }: StageConfig,
  { queue, deadLetterQueue }: JobQueues,
  results: Bucket,
  stackName: string,
): Record<string, string> {
  return {
    ...WORKER_PROCESS_ENVIRONMENT,
    QUEUE_URL: queue.queueUrl,
    DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl,
    RESULTS_BUCKET: results.bucketName,
    // Images of a local folder are uploaded into the results bucket before they are enqueued.
    SOURCE_BUCKETS: [results.bucketName, ...sourceBuckets].join(','),
    // The dimension of the metrics: each stage has its own.
    POWERTOOLS_SERVICE_NAME: stackName,
    ...(topK !== undefined && { TOP_K: String(topK) }),
    ...(modelPrecision !== undefined && { MODEL_PRECISION: modelPrecision }),
    ...(model !== undefined && { MODEL_S3_URI: model.s3Uri, MODEL_SHA256: model.sha256 }),
  };
}
