import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { WORKER_PROCESS_ENVIRONMENT } from '../shared/contract/worker-process.ts';

const BOOTSTRAP = join(import.meta.dirname, 'runtime-bootstrap.ts');

/** What the parent sends for each invocation; `deadline` is in epoch milliseconds. */
export type InvocationRequest = { requestId: string; event: SQSEvent; deadline: number };
/** What the child sends: once that it has initialized, then an answer an invocation. */
export type RuntimeReport =
  | { kind: 'initialized' }
  | { kind: 'response'; response: SQSBatchResponse }
  | { kind: 'error'; message: string };

/** A function that ended without an answer; Lambda's event sources treat it as a failed batch. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
}

export type FunctionConfiguration = {
  /** The module that exports `handler`. */
  handlerPath: string;
  timeoutSeconds: number;
  environment: Record<string, string>;
  /** Flags for Node, e.g. a memory limit. */
  execArgv?: readonly string[];
  /** Where the function's standard output and error go. */
  onLog: (text: string) => void;
};

/**
 * One execution environment of a function: a process of its own that initializes once, then takes
 * one invocation at a time. When it dies or exceeds its time-out it is replaced at the next
 * invocation, as in Lambda.
 */
export class ExecutionEnvironment {
  readonly #configuration: FunctionConfiguration;
  #process: Promise<ChildProcess> | undefined;
  #pid: number | undefined;

  constructor(configuration: FunctionConfiguration) {
    this.#configuration = configuration;
  }

  /** Of the running process; undefined when there is none. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Starts the process and waits until the function is initialized. */
  async initialize(): Promise<void> {
    await this.#running();
  }

  /** @throws {FunctionError} when the function throws, dies or exceeds its time-out */
  async invoke(event: SQSEvent): Promise<SQSBatchResponse> {
    const child = await this.#running();
    const timeout = this.#configuration.timeoutSeconds * 1_000;
    const request: InvocationRequest = { requestId: randomUUID(), event, deadline: Date.now() + timeout };
    const reported = nextReport(child);
    child.send(request, ignoreDeadChild);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    try {
      const report = await reported;
      if (report.kind === 'response') return report.response;
      throw new FunctionError(report.kind === 'error' ? report.message : 'the function initialized twice');
    } catch (error) {
      if (Date.now() < request.deadline) throw error;
      throw new FunctionError(`Task timed out after ${timeout / 1_000} seconds`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process once it is idle. */
  async shutDown(): Promise<void> {
    const child = await this.#process?.catch(() => undefined);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    await exited;
  }

  #running(): Promise<ChildProcess> {
    this.#process ??= this.#start();
    return this.#process;
  }

  async #start(): Promise<ChildProcess> {
    const { handlerPath, environment, execArgv = [], onLog } = this.#configuration;
    const child = fork(BOOTSTRAP, [handlerPath], {
      env: { ...process.env, ...WORKER_PROCESS_ENVIRONMENT, ...environment },
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C reaches the parent alone, which lets the work in hand finish.
      detached: true,
    });
    this.#pid = child.pid;
    child.stdout?.setEncoding('utf8').on('data', onLog);
    child.stderr?.setEncoding('utf8').on('data', onLog);
    child.once('exit', () => {
      this.#process = undefined;
      this.#pid = undefined;
    });
    const report = await nextReport(child);
    if (report.kind !== 'initialized') {
      throw new FunctionError(report.kind === 'error' ? report.message : 'the function answered before it initialized');
    }
    return child;
  }
}

function nextReport(child: ChildProcess): Promise<RuntimeReport> {
  return new Promise((resolve, reject) => {
    const onMessage = (report: unknown) => {
      child.off('exit', onExit);
      resolve(report as RuntimeReport);
    };
    const onExit = (code: number | null, signal: string | null) => {
      child.off('message', onMessage);
      reject(new FunctionError(`the function's process ended with ${signal ?? `exit code ${code}`}`));
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
  });
}

/** A child that is gone already reports so by its exit. */
function ignoreDeadChild(): void {}
