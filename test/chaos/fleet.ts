import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { EventSource } from '../support/lambda/event-source.ts';
import { measurementReader } from '../support/measured-log.ts';
import type { Random } from '../support/random.ts';
import { ChaoticWorker } from './chaotic-worker.ts';

const HANDLER = join(import.meta.dirname, '../support/measured-handler.ts');
const WORKERS = 4;
/** Share of the invocations of which another worker gets a message, too. */
const DOUBLE_DELIVERY_RATE = 0.05;
/** Lambda does not give up: no fault rate shall end its polling. */
const EVENT_SOURCE_ATTEMPTS = 20;
/** Above the event source's long poll. */
const EVENT_SOURCE_REQUEST_TIMEOUT_MS = 5_000;

export type FleetOptions = {
  aws: AwsAccess;
  /** Of the fault proxy: for the workers and for what feeds them. */
  endpoint: string;
  /** Without faults. */
  target: JobTarget;
  timeoutSeconds: number;
  /** Settings of the workers beside those that point them at AWS. */
  environment: Record<string, string>;
  random: Random;
  onLog: (text: string) => void;
};

/** Workers that take messages from the queue, all of them through the fault proxy. */
export type ChaosFleet = AsyncDisposable & {
  workers: readonly ChaoticWorker[];
  /** The most that any worker has held after an invocation. */
  readonly maxRssMb: number;
  /** Rejects when the workers get no more messages. */
  ended(): Promise<void>;
};

export async function startFleet(options: FleetOptions): Promise<ChaosFleet> {
  const { aws, endpoint, target, timeoutSeconds, environment, random, onLog } = options;
  let maxRssMb = 0;
  const startWorker = () => {
    const readMeasurement = measurementReader((measured) => {
      maxRssMb = Math.max(maxRssMb, measured.maxRssMb);
    });
    const configuration = {
      handlerPath: HANDLER,
      timeoutSeconds,
      environment: { ...environmentThrough(endpoint, aws.environment), ...environment },
      onLog: (text: string) => {
        readMeasurement(text);
        onLog(text);
      },
    };
    return new ChaoticWorker(configuration, target, DOUBLE_DELIVERY_RATE, random);
  };
  const workers = Array.from({ length: WORKERS }, startWorker);
  await Promise.all(workers.map((worker) => worker.initialize()));
  const sqs = new SQSClient({
    ...aws.clientConfig,
    endpoint,
    maxAttempts: EVENT_SOURCE_ATTEMPTS,
    requestHandler: { requestTimeout: EVENT_SOURCE_REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true },
  });
  const source = new EventSource({
    sqs,
    queueUrl: target.queueUrl,
    environments: workers,
    onFunctionError: ({ message }) => onLog(`${JSON.stringify({ at: new Date(), functionError: message })}\n`),
  });
  source.start();
  return {
    workers,
    get maxRssMb() {
      return maxRssMb;
    },
    ended: () => source.ended(),
    async [Symbol.asyncDispose]() {
      await source.stop();
      sqs.destroy();
      await Promise.all(workers.map((worker) => worker.shutDown()));
    },
  };
}

/** An SQS client goes to where its queue's URL points, unless that agrees with its endpoint. */
function environmentThrough(endpoint: string, environment: AwsAccess['environment']): AwsAccess['environment'] {
  const through = (url: string) => new URL(new URL(url).pathname, endpoint).href;
  return {
    ...environment,
    AWS_ENDPOINT_URL: endpoint,
    QUEUE_URL: through(environment.QUEUE_URL),
    DEAD_LETTER_QUEUE_URL: through(environment.DEAD_LETTER_QUEUE_URL),
  };
}
