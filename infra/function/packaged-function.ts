import { Duration, RemovalPolicy, Size, Tokenization } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type CfnFunction,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  type RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { WORKER_PROCESS_ENVIRONMENT } from '../../shared/runtime/worker-process.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { ServiceConfig } from '../service-config.ts';
import { networkStatements, placeInVpc } from './network.ts';
import { trace, tracingStatements } from './tracing.ts';

/** TensorFlow's libraries unpacked, and room for another model. */
const EPHEMERAL_STORAGE = Size.mebibytes(1_024);

export type PackagedFunctionProps = {
  config: ServiceConfig;
  description: string;
  /** The package: all functions are in it. */
  code: Code;
  handler: string;
  memoryMb: number;
  timeoutSeconds: number;
  reservedConcurrency?: number | undefined;
  /** `Terminate` by default. */
  recursiveLoop?: RecursiveLoop;
  policyName: string;
  /** All that its code may do. */
  statements: (logGroup: LogGroup) => PolicyStatement[];
  environment: Record<string, string>;
};

/** A function of the package, with a log group and a role of its own, as children of `scope`. */
export function packagedFunction(
  scope: Construct,
  props: PackagedFunctionProps,
): { function: LambdaFunction; logGroup: LogGroup; role: Role } {
  const { config } = props;
  const { encryptionKey } = config;
  const logGroup = new LogGroup(scope, 'Logs', {
    retention: config.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(encryptionKey !== undefined && { encryptionKey }),
  });
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      [props.policyName]: new PolicyDocument({
        statements: [...props.statements(logGroup), ...networkStatements(config), ...tracingStatements(config)],
      }),
    },
  });
  const made = new LambdaFunction(scope, 'Function', {
    description: props.description,
    runtime: Runtime.NODEJS_24_X,
    architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    code: props.code,
    handler: props.handler,
    memorySize: props.memoryMb,
    ephemeralStorageSize: EPHEMERAL_STORAGE,
    timeout: Duration.seconds(props.timeoutSeconds),
    ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
    ...(props.recursiveLoop !== undefined && { recursiveLoop: props.recursiveLoop }),
    role,
    logGroup,
    loggingFormat: LoggingFormat.TEXT,
    environment: { ...WORKER_PROCESS_ENVIRONMENT, ...props.environment },
  });
  // The CDK lets a function wait for its role although it names the role: no harm, and none of our doing.
  (made.node.defaultChild as CfnFunction).addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
  placeInVpc(made, role, config);
  trace(made, role, config);
  return { function: made, logGroup, role };
}

/** Settings of every function that classifies: the model, and the `User-Agent` for image servers. */
export function modelEnvironment({
  topK,
  model,
  modelPrecision,
  fetchUserAgent,
}: ServiceConfig): Record<string, string> {
  return {
    ...(topK !== undefined && { TOP_K: Tokenization.stringifyNumber(topK) }),
    ...(fetchUserAgent !== undefined && { FETCH_USER_AGENT: fetchUserAgent }),
    ...(modelPrecision !== undefined && { MODEL_PRECISION: modelPrecision }),
    ...(model !== undefined && { MODEL_S3_URI: model.s3Uri, MODEL_SHA256: model.sha256 }),
    ...(model?.trusted && { MODEL_TRUSTED: 'true' }),
  };
}

/** What the settings of a stage's workers and of its API come from. */
type ServiceParts = { config: ServiceConfig; queues: Queues; results: Bucket };

/** Settings of both worker and API: where jobs are, and how images are classified. */
export function classifierEnvironment({
  config,
  queues: { queue, deadLetterQueue },
  results,
}: ServiceParts): Record<string, string> {
  return {
    QUEUE_URL: queue.queueUrl,
    DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl,
    RESULTS_BUCKET: results.bucketName,
    // Images of a local folder are uploaded into the results bucket before they are enqueued.
    SOURCE_BUCKETS: [results.bucketName, ...config.sourceBuckets].join(','),
    ...(config.allowedHosts !== undefined && { ALLOWED_HOSTS: config.allowedHosts.join(',') }),
    ...modelEnvironment(config),
  };
}

/** All settings of the worker by the stage's file, alike on Lambda and on instances: a setting that is added here reaches both. */
export function workerEnvironment({ config, queues, results }: ServiceParts): Record<string, string> {
  return {
    ...classifierEnvironment({ config, queues, results }),
    ...(config.embedding && { EMBEDDING: '1' }),
    // The dimension of the metrics.
    POWERTOOLS_SERVICE_NAME: config.serviceName,
  };
}
