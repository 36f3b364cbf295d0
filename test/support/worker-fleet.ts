import { join } from 'node:path';
import type { TestAws } from '../../testkit/test-aws.ts';
import { ExecutionEnvironment, type FunctionError } from '../../worker/execution-environment.ts';
import { EventSource } from './lambda/event-source.ts';

const HANDLER = join(import.meta.dirname, '../../functions/classify/handler.ts');

export type FleetOptions = {
  workers: number;
  timeoutSeconds: number;
  environment: Record<string, string>;
  execArgv?: string[];
  /** Given what the workers write, as it comes. */
  onLog?: (text: string) => void;
};

/** Real handlers in processes of their own, fed from the queue as Lambda does. */
export type WorkerFleet = AsyncDisposable & {
  environments: ExecutionEnvironment[];
  /** Invocations that failed as a whole, so far. */
  functionErrors: FunctionError[];
  /** All that the workers have written. */
  log(): string;
};

export async function startWorkerFleet(
  aws: { environment: Record<string, string>; target: TestAws['target'] },
  options: FleetOptions,
): Promise<WorkerFleet> {
  const { workers, timeoutSeconds, environment, execArgv = [], onLog } = options;
  const functionErrors: FunctionError[] = [];
  let log = '';
  const configuration = {
    handlerPath: HANDLER,
    timeoutSeconds,
    environment: { ...aws.environment, ...environment },
    execArgv,
    onLog: (text: string) => {
      log += text;
      onLog?.(text);
    },
  };
  const environments = Array.from({ length: workers }, () => new ExecutionEnvironment(configuration));
  await Promise.all(environments.map((one) => one.initialize()));
  const { sqs, queueUrl } = aws.target;
  const source = new EventSource({
    sqs,
    queueUrl,
    environments,
    onFunctionError: (error) => functionErrors.push(error),
  });
  source.start();
  return {
    environments,
    functionErrors,
    log: () => log,
    async [Symbol.asyncDispose]() {
      await source.stop();
      await Promise.all(environments.map((one) => one.shutDown()));
    },
  };
}
