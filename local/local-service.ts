import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { type EmbeddedAws, startEmbeddedAws } from './embedded-aws.ts';
import { EventSource } from './event-source.ts';
import { ExecutionEnvironment, type FunctionError } from './execution-environment.ts';

const HANDLER = join(import.meta.dirname, '../functions/classify/handler.ts');

export type LocalServiceOptions = {
  port: number;
  /** In memory without. */
  dataDir?: string;
  /** Execution environments: what Lambda calls concurrency. */
  workers: number;
  /** Settings of the worker beside those that point it at the embedded AWS. */
  workerEnvironment: Record<string, string>;
  onLog: (text: string) => void;
  onFunctionError: (error: FunctionError) => void;
};

/** The embedded AWS with workers that take messages from its queue. */
export type LocalService = {
  aws: EmbeddedAws;
  /** Rejects when the workers could not go on. */
  ended(): Promise<void>;
  /** Lets the work in hand finish, then stops everything. */
  stop(): Promise<void>;
};

/** Starts the embedded AWS and waits until the workers have their model loaded. */
export async function startLocalService(options: LocalServiceOptions): Promise<LocalService> {
  const { port, dataDir, workers, workerEnvironment, onLog, onFunctionError } = options;
  const aws = await startEmbeddedAws({ port, ...(dataDir !== undefined && { dataDir }) });
  const environments = Array.from(
    { length: workers },
    () =>
      new ExecutionEnvironment({
        handlerPath: HANDLER,
        timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
        environment: { ...aws.environment, ...workerEnvironment },
        onLog,
      }),
  );
  const shutDown = async () => {
    await Promise.all(environments.map((environment) => environment.shutDown()));
    await aws.stop();
  };
  try {
    await Promise.all(environments.map((environment) => environment.initialize()));
  } catch (error) {
    await shutDown();
    throw error;
  }
  const sqs = new SQSClient(aws.clientConfig);
  const eventSource = new EventSource({
    sqs,
    queueUrl: aws.environment.QUEUE_URL,
    environments,
    onFunctionError,
  });
  eventSource.start();
  return {
    aws,
    ended: () => eventSource.ended(),
    async stop() {
      await eventSource.stop();
      sqs.destroy();
      await shutDown();
    },
  };
}
