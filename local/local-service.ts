import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import {
  ANNOUNCE_TIMEOUT_SECONDS,
  API_TIMEOUT_SECONDS,
  END_LOOK_VISIBILITY_SECONDS,
  FUNCTION_TIMEOUT_SECONDS,
  LOCAL_API_REQUESTS_AT_ONCE,
  VISIBILITY_TIMEOUT_SECONDS,
  WORK_PROCESS_MEMORY_MB,
} from '../shared/contract/limits.ts';
import { ExecutionEnvironment, type FunctionError } from '../worker/execution-environment.ts';
import { WorkLoop } from '../worker/work-loop.ts';
import { threadsFor } from '../worker/work-processes.ts';
import { type EmbeddedAws, startEmbeddedAws } from './embedded-aws.ts';
import { type HttpGateway, startHttpGateway } from './http-gateway.ts';
import { localDashboard, type ServedDashboard } from './local-dashboard.ts';
import { StageTimes } from './stage-times.ts';

const API_HANDLER = join(import.meta.dirname, '../functions/api/handler.ts');
const ANNOUNCER = join(import.meta.dirname, '../functions/announce/handler.ts');
/** Short, so that Ctrl-C takes effect soon; polls are free here. */
const POLL_SECONDS = 2;
const HANDLER = join(import.meta.dirname, '../functions/classify/handler.ts');

export type LocalServiceOptions = {
  port: number;
  /** Without it, everything is in memory. */
  dataDir?: string;
  /** Execution environments: what Lambda calls concurrency. */
  workers: number;
  /** Settings of the worker, except those that point it at the embedded AWS. */
  workerEnvironment: Record<string, string>;
  /** Port of the HTTP API, 0 for any free port; without it, there is no API. */
  apiPort?: number;
  /** Secret that signs webhooks; without it, job ends are not announced. */
  webhookSecret?: string;
  /** The dashboard at `/` of the API's address, if any. */
  dashboard?: ServedDashboard;
  onLog: (text: string) => void;
  onFunctionError: (error: FunctionError) => void;
  /** Observes the workers, not the API. */
  watch?: WorkerWatch;
  /** Called with a line for each notable event, e.g. a damaged file; standard error by default. */
  onNotice?: (text: string) => void;
};

export type WorkerWatch = {
  /** Called with each complete line that a worker writes to standard output. */
  onLine(line: string): void;
  /** Called for each invocation that ended without a response. */
  onError(): void;
};

/** The embedded AWS with workers that take messages from its queue. */
export type LocalService = {
  aws: EmbeddedAws;
  /** The address of the HTTP API, if any. Its process starts at the first request. */
  apiAddress: string | undefined;
  /** Rejects when the workers cannot continue. */
  ended(): Promise<void>;
  /** Finishes in-flight work, then stops everything. */
  stop(): Promise<void>;
};

/** Starts the embedded AWS and waits until the workers have loaded their model. */
export async function startLocalService(options: LocalServiceOptions): Promise<LocalService> {
  const { port, dataDir, workers, workerEnvironment, apiPort, webhookSecret, dashboard } = options;
  const { onLog, onFunctionError, watch, onNotice } = options;
  const stages = new StageTimes();
  const aws = await startEmbeddedAws({
    port,
    ...(dataDir !== undefined && { dataDir }),
    ...(onNotice !== undefined && { onNotice }),
  });
  const environment = { ...aws.environment, ...workerEnvironment };
  const environments = Array.from(
    { length: workers },
    () =>
      new ExecutionEnvironment({
        handlerPath: HANDLER,
        timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
        environment: { ...environment, ...threadsFor(workers) },
        onLog,
        onLine(line: string) {
          stages.add(line);
          watch?.onLine(line);
        },
      }),
  );
  const announcer = new ExecutionEnvironment({
    handlerPath: ANNOUNCER,
    functionName: 'labelqueue-announce',
    timeoutSeconds: ANNOUNCE_TIMEOUT_SECONDS,
    environment: { ...environment, WEBHOOK_SECRET: webhookSecret ?? '' },
    onLog,
  });
  const page = dashboard && localDashboard({ aws, workers, stages, environment, dashboard });
  const api = createLocalApi({ environment, onLog, onFunctionError, beside: page?.listen });
  const shutDown = async () => {
    await page?.close();
    await Promise.all([api.stop(), announcer.shutDown(), ...environments.map((environment) => environment.shutDown())]);
    await aws.stop();
  };
  let apiAddress: string | undefined;
  try {
    if (apiPort !== undefined) apiAddress = await api.listen(apiPort);
    await Promise.all(environments.map((environment) => environment.initialize()));
  } catch (error) {
    await shutDown();
    throw error;
  }
  const sqs = new SQSClient(aws.clientConfig);
  const feed = { sqs, pollSeconds: POLL_SECONDS, ...(onNotice !== undefined && { onNotice }) };
  const onWorkerError = (error: FunctionError) => {
    watch?.onError();
    onFunctionError(error);
  };
  const loops = [
    new WorkLoop({
      ...feed,
      onFunctionError: onWorkerError,
      queueUrl: aws.environment.QUEUE_URL,
      visibilitySeconds: VISIBILITY_TIMEOUT_SECONDS,
      environments,
      processMemoryBytes: WORK_PROCESS_MEMORY_MB * 1_000_000,
    }),
  ];
  if (webhookSecret !== undefined) {
    loops.push(
      new WorkLoop({
        ...feed,
        onFunctionError,
        queueUrl: aws.environment.JOB_END_QUEUE_URL,
        visibilitySeconds: END_LOOK_VISIBILITY_SECONDS,
        environments: [announcer],
        batchSize: 1,
        timeoutSeconds: ANNOUNCE_TIMEOUT_SECONDS,
        // Its process starts at the first message.
        isLazy: true,
      }),
    );
  }
  for (const loop of loops) loop.start();
  return {
    aws,
    apiAddress,
    ended: async () => void (await Promise.all(loops.map((loop) => loop.ended()))),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop(Number.POSITIVE_INFINITY, false)));
      sqs.destroy();
      await shutDown();
    },
  };
}

type LocalApiOptions = Pick<LocalServiceOptions, 'onLog' | 'onFunctionError'> & {
  environment: Record<string, string>;
  beside: RequestListener | undefined;
};
type LocalApi = { listen(port: number): Promise<string>; stop(): Promise<void> };

function createLocalApi({ environment, onLog, onFunctionError, beside }: LocalApiOptions): LocalApi {
  const api = new ExecutionEnvironment<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
    handlerPath: API_HANDLER,
    functionName: 'labelqueue-api',
    timeoutSeconds: API_TIMEOUT_SECONDS,
    environment,
    onLog,
  });
  let gateway: HttpGateway | undefined;
  return {
    async listen(port) {
      // On Lambda, one. Here several requests share inference batches, and memory is bounded as in a worker.
      const invoke = (event: APIGatewayProxyEventV2) => api.invoke(event);
      const atOnce = LOCAL_API_REQUESTS_AT_ONCE;
      gateway = await startHttpGateway({
        port,
        invoke,
        atOnce,
        onFunctionError,
        ...(beside !== undefined && { beside }),
      });
      return gateway.address;
    },
    async stop() {
      await gateway?.stop();
      await api.shutDown();
    },
  };
}
