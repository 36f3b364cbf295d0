import { join } from 'node:path';
import { eventually } from '../../testkit/eventually.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { ExecutionEnvironment, type FunctionError } from '../../worker/execution-environment.ts';
import type { WorkLoopOptions } from '../../worker/loop-parts.ts';
import { WorkLoop } from '../../worker/work-loop.ts';
import { EventSource, type EventSourceOptions } from './lambda/event-source.ts';
import type { InvocationLog } from './scripted-handler.ts';

/** A stop waits for the poll in flight, and most tests end with one. The embedded SQS takes fractions, unlike AWS. */
const POLL_SECONDS = 0.1;
const HANDLER = join(import.meta.dirname, 'scripted-handler.ts');

/** A queue, and two execution environments whose handler does what the messages say. */
export type ScriptedFunction = AsyncDisposable & {
  aws: TestAws;
  environments: ExecutionEnvironment[];
  /** What the handler logged since the last `reset`, and the errors that the event source reported. */
  invocations: InvocationLog[];
  errors: FunctionError[];
  /** The bodies of all invocations, in order. */
  bodies(): string[];
  /** Starts an event source. By default it feeds one environment, so that the order is known. */
  feed(options?: Partial<EventSourceOptions>): EventSource;
  /** Starts the loop of `labelqueue work` instead, by default with one environment. */
  work(options?: Partial<WorkLoopOptions>): WorkLoop;
  /** Resolves when nothing is left in the queue and that many messages were logged. */
  allDone(messages: number): Promise<void>;
  /** Stops the event source and forgets everything. */
  reset(): Promise<void>;
};

export async function startScriptedFunction({
  visibilityTimeoutSeconds,
  timeoutSeconds,
}: {
  visibilityTimeoutSeconds: number;
  timeoutSeconds: number;
}): Promise<ScriptedFunction> {
  const aws = await startTestAws({ visibilityTimeoutSeconds });
  const invocations: InvocationLog[] = [];
  const errors: FunctionError[] = [];
  const bodies = () => invocations.flatMap((invocation) => invocation.bodies);
  const environments = [0, 1].map(() => {
    const onLog = byLine((line) => invocations.push(JSON.parse(line)));
    return new ExecutionEnvironment({ handlerPath: HANDLER, timeoutSeconds, environment: {}, onLog });
  });
  await Promise.all(environments.map((environment) => environment.initialize()));
  let source: EventSource | WorkLoop | undefined;
  return {
    aws,
    environments,
    invocations,
    errors,
    bodies,
    feed(options) {
      source = new EventSource({
        sqs: aws.target.sqs,
        queueUrl: aws.target.queueUrl,
        environments: environments.slice(0, 1),
        onFunctionError: (error) => errors.push(error),
        pollSeconds: POLL_SECONDS,
        ...options,
      });
      source.start();
      return source;
    },
    work(options) {
      source = new WorkLoop({
        sqs: aws.target.sqs,
        queueUrl: aws.target.queueUrl,
        visibilitySeconds: visibilityTimeoutSeconds,
        environments: environments.slice(0, 1),
        onFunctionError: (error) => errors.push(error),
        pollSeconds: POLL_SECONDS,
        timeoutSeconds,
        ...options,
      });
      source.start();
      return source;
    },
    // The log comes by another way than the answers.
    allDone: (messages) =>
      eventually(`${messages} messages done`, () => aws.queued().length === 0 && bodies().length >= messages),
    async reset() {
      await source?.stop();
      aws.clear();
      invocations.length = 0;
      errors.length = 0;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(environments.map((environment) => environment.shutDown()));
      await aws.stop();
    },
  };
}

function byLine(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  };
}
