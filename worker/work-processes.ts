import { availableParallelism } from 'node:os';
import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { WORKER_PROCESS_ENVIRONMENT } from '../shared/runtime/worker-process.ts';
import { ExecutionEnvironment } from './execution-environment.ts';
import { coreLauncher } from './pinned-core.ts';

/** How many processes there are, and what they run. */
export type WorkProcessesOptions = {
  count: number;
  handlerPath: string;
  environment: Readonly<Record<string, string | undefined>>;
  onLine: (line: string) => void;
  /** Receives the standard error of a process: of TensorFlow and Node, not of the worker. */
  onErrorText: (text: string) => void;
};

/** The processes of a worker, not started yet. */
export function workProcesses({ count, ...options }: WorkProcessesOptions): ExecutionEnvironment[] {
  const environment = {
    ...definedIn(options.environment),
    ...threadsFor(count),
    ...processVariables(options.environment),
  };
  return Array.from(
    { length: count },
    (_, index) =>
      new ExecutionEnvironment({
        ...options,
        environment,
        timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
        launcher: () => coreLauncher(index, count),
        onLog() {},
      }),
  );
}

/** Variables that a process must have whatever the environment of the command is; its Node flags are added. */
function processVariables({ NODE_OPTIONS = '' }: WorkProcessesOptions['environment']): Record<string, string> {
  const options = `${WORKER_PROCESS_ENVIRONMENT.NODE_OPTIONS} ${NODE_OPTIONS}`.trim();
  return { ...WORKER_PROCESS_ENVIRONMENT, NODE_OPTIONS: options };
}

/**
 * Distributes the cores: by default, TensorFlow would use all of them in every process, and the processes would compete.
 */
export function threadsFor(processes: number): { TF_NUM_INTRAOP_THREADS: string; TF_NUM_INTEROP_THREADS: string } {
  const each = String(Math.max(1, Math.floor(availableParallelism() / processes)));
  return { TF_NUM_INTRAOP_THREADS: each, TF_NUM_INTEROP_THREADS: each };
}

function definedIn(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
