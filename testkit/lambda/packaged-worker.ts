import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { WORKER_PROCESS_ENVIRONMENT } from '../../shared/runtime/worker-process.ts';
import { startRuntimeApi } from './runtime-api.ts';

const run = promisify(execFile);

/** Unzips a package into a new folder that is read-only from then on, as `/var/task` is. */
export async function unzipPackage(zip: string, folder: string): Promise<void> {
  await mkdir(folder);
  // Node cannot read zips, and `unzip` is on fewer machines than python3.
  await run('python3', ['-m', 'zipfile', '-e', zip, folder]);
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    chmodSync(join(found.parentPath, found.name), found.isDirectory() ? 0o555 : 0o444);
  }
  chmodSync(folder, 0o555);
}

/** Makes such a folder one that can be removed again. */
export function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (found.isDirectory()) chmodSync(join(found.parentPath, found.name), 0o755);
  }
}

/** A function of a package; the worker unless its handler is another one. */
export type PackagedWorker<Event = SQSEvent, Response = SQSBatchResponse> = AsyncDisposable & {
  pid: number | undefined;
  /** @throws the error that the function reported, or that its process ended */
  invoke(event: Event): Promise<Response>;
  /** What it printed so far. */
  log(): string;
};

export type PackagedWorkerOptions = {
  /** The unzipped package. */
  task: string;
  /** Plays `/tmp`. */
  temporary: string;
  /** The module of AWS's runtime client. */
  runtimeClient: string;
  /** The worker's when none is named. */
  handler?: string;
  environment: Readonly<Record<string, string>>;
  /** Put before the command, e.g. `taskset -c 0`. */
  wrapper?: readonly string[];
  nodeArguments?: readonly string[];
};

/** Starts a package as Lambda would: AWS's runtime client, Lambda's variables and no others. */
export async function startPackagedWorker<Event = SQSEvent, Response = SQSBatchResponse>(
  options: PackagedWorkerOptions,
): Promise<PackagedWorker<Event, Response>> {
  const { task, temporary, runtimeClient, handler = 'index.handler', environment } = options;
  const { wrapper = [], nodeArguments = [] } = options;
  const api = await startRuntimeApi<Event, Response>();
  const command = [...wrapper, process.execPath, ...nodeArguments, runtimeClient, handler];
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: task,
    env: { ...lambdaEnvironment(task, temporary, api.address), _HANDLER: handler, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const append = (text: string) => {
    log += text;
  };
  child.stdout.setEncoding('utf8').on('data', append);
  child.stderr.setEncoding('utf8').on('data', append);
  const ended = endOf(child);
  return {
    pid: child.pid,
    log: () => log,
    async invoke(event) {
      const invoked = await Promise.race([api.invoke(event, FUNCTION_TIMEOUT_SECONDS), ended]);
      if (typeof invoked === 'string') throw new Error(`the packaged worker ended with ${invoked}:\n${log}`);
      if ('response' in invoked) return invoked.response;
      throw new Error(`${invoked.error.errorType}: ${invoked.error.errorMessage}`);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await api[Symbol.asyncDispose]();
    },
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  const [code, signal] = await once(child, 'exit');
  return signal ?? `exit code ${code}`;
}

/** The variables that Lambda sets; TMPDIR stands in for its private `/tmp`. */
function lambdaEnvironment(task: string, temporary: string, address: string): Record<string, string> {
  return {
    ...WORKER_PROCESS_ENVIRONMENT,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(FUNCTION_MEMORY_MB),
    AWS_LAMBDA_FUNCTION_NAME: 'classify',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/classify',
    AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]0',
    AWS_LAMBDA_RUNTIME_API: address,
    LAMBDA_TASK_ROOT: task,
    LANG: 'en_US.UTF-8',
    PATH: dirname(process.execPath),
    TMPDIR: temporary,
    TZ: ':UTC',
  };
}
