import { Duration } from 'aws-cdk-lib';
import { type Code, type Function as LambdaFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { packagedFunction, workerEnvironment } from '../function/packaged-function.ts';
import { acknowledgeWildcards } from '../function/permissions.ts';
import type { Queues } from '../queue/job-queues.ts';
import { DEFAULT_MAXIMUM_CONCURRENCY, type ServiceConfig } from '../service-config.ts';
import { WORKER_WRITES, workerStatements } from './permissions.ts';

export type ClassifyWorkerProps = {
  config: ServiceConfig;
  code: Code;
  queues: Queues;
  results: Bucket;
  /** False where something else takes the messages of the queue. */
  takesMessages: boolean;
};

/**
 * The worker and what feeds it. No concurrency is reserved: when Lambda throttles such a function, SQS
 * counts deliveries that never were and moves good messages to the DLQ. The event source's own maximum
 * holds messages back in the queue instead.
 */
export class ClassifyWorker extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, code, queues, results, takesMessages }: ClassifyWorkerProps) {
    super(scope, id);
    const made = packagedFunction(this, {
      config,
      description: 'labelqueue: labels the images of messages and writes JSON lines to S3',
      code,
      handler: 'index.handler',
      memoryMb: config.memoryMb,
      timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
      recursiveLoop: CHAINS_ARE_BOUNDED,
      policyName: 'worker',
      statements: (logGroup) => workerStatements({ config, queues, results, logGroup }),
      environment: workerEnvironment({ config, queues, results }),
    });
    this.function = made.function;
    this.logGroup = made.logGroup;
    acknowledgeWildcards(made.role, { results, config }, WORKER_WRITES);
    this.function.addEventSource(
      new SqsEventSource(queues.queue, {
        batchSize: config.batchSize,
        ...(config.batchWindowSeconds > 0 && { maxBatchingWindow: Duration.seconds(config.batchWindowSeconds) }),
        reportBatchItemFailures: true,
        // The one switch of who takes the queue. Lambda finishes what is in flight.
        enabled: takesMessages,
        ...scalingOf(config),
      }),
    );
  }
}

/**
 * Retries, images that were not reached and splits are messages of the worker to its own queue: a loop by design, which
 * the worker ends itself after `MAX_HOPS`. Lambda would end it after 16 invocations by the lineage in the messages' trace
 * header, and move the message to the DLQ without a failure line; how it counts an invocation with messages of different
 * lineages is not documented. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
const CHAINS_ARE_BOUNDED = RecursiveLoop.ALLOW;

function scalingOf({ maximumConcurrency, provisionedPollers }: ServiceConfig) {
  if (provisionedPollers === undefined) return { maxConcurrency: maximumConcurrency ?? DEFAULT_MAXIMUM_CONCURRENCY };
  const { minimum, maximum } = provisionedPollers;
  return { provisionedPollerConfig: { minimumPollers: minimum, maximumPollers: maximum } };
}
