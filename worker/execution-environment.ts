import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { extname, join } from 'node:path';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { UserError } from '../shared/contract/user-error.ts';
import { WORKER_PROCESS_ENVIRONMENT } from '../shared/contract/worker-process.ts';
import { wholeLines } from './whole-lines.ts';

/** The source while it runs from source, the bundle once it is packaged. */
const BOOTSTRAP = join(import.meta.dirname, `runtime-bootstrap${extname(import.meta.filename)}`);
/** How long a process may take to end once it is to; one that was stopped (SIGSTOP) never would. */
const SHUT_DOWN_MS = 5_000;

/** What the parent sends for each invocation; `deadline` is in epoch milliseconds. */
export type InvocationRequest = { requestId: string; event: unknown; deadline: number };
/** What the child sends: once whether it has initialized, then an answer an invocation. */
export type RuntimeReport =
  | { kind: 'initialized' }
  | { kind: 'not initialized'; message: string }
  | { kind: 'response'; requestId: string; response: unknown; rssBytes: number }
  | { kind: 'error'; requestId: string; message: string };

/** A function that ended without an answer; Lambda's event sources treat it as a failed batch. */
export class FunctionError extends UserError {
  override readonly name = 'FunctionError';
}

export type FunctionConfiguration = {
  /** The module that exports `handler`. */
  handlerPath: string;
  timeoutSeconds: number;
  environment: Record<string, string>;
  /** What the function is called in its context and its logs. */
  functionName?: string;
  /** Flags for Node, e.g. a memory limit. */
  execArgv?: readonly string[];
  /** Where the function's standard output and error go. */
  onLog: (text: string) => void;
  /** Is given what it writes to standard error, in place of `onLog`. */
  onErrorText?: (text: string) => void;
  /** Is given each whole line of its standard output as well: what goes to `onLog` comes in pieces. */
  onLine?: (line: string) => void;
};

/** A process of a function, and who waits for its answers, by the ids of their requests. */
type RunningFunction = { child: ChildProcess; waiting: Map<string, PromiseWithResolvers<unknown>> };

/**
 * One execution environment of a function: a process of its own that initializes once, then takes
 * invocations. Lambda gives one the next only after the last has been answered; here that is up to
 * whoever invokes. When the process dies or an invocation exceeds its time-out it is replaced at the
 * next invocation, as in Lambda.
 */
export class ExecutionEnvironment<Event = SQSEvent, Response = SQSBatchResponse> {
  readonly #configuration: FunctionConfiguration;
  #running: Promise<RunningFunction> | undefined;
  #pid: number | undefined;
  #rssBytes = 0;
  #starts = 0;
  /** Called whenever a process has ended, whatever it ended of. */
  onExit: () => void = () => {};

  constructor(configuration: FunctionConfiguration) {
    this.#configuration = configuration;
  }

  /** Of the running process; undefined when there is none. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Memory that the process held after its last invocation; 0 when there was none. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** How often a process was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts the process and waits until the function is initialized. */
  async initialize(): Promise<void> {
    await this.#function();
  }

  /**
   * @param timeout milliseconds: less than the function's own timeout where there is not so much time
   * @throws {FunctionError} when the function throws, dies or exceeds its time-out
   */
  async invoke(event: Event, timeout: number = this.#configuration.timeoutSeconds * 1_000): Promise<Response> {
    const { child, waiting } = await this.#function();
    const request: InvocationRequest = { requestId: randomUUID(), event, deadline: Date.now() + timeout };
    const answer = Promise.withResolvers<unknown>();
    waiting.set(request.requestId, answer);
    child.send(request, ignoreDeadChild);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    try {
      return (await answer.promise) as Response;
    } catch (error) {
      if (Date.now() < request.deadline) throw error;
      throw new FunctionError(`Task timed out after ${timeout / 1_000} seconds`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process once it is idle. */
  async shutDown(): Promise<void> {
    const { child } = (await this.#running?.catch(() => undefined)) ?? {};
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), SHUT_DOWN_MS);
    await exited;
    clearTimeout(timer);
  }

  /** Ends the process at once, whatever it is doing. */
  kill(): void {
    if (this.#pid === undefined) return;
    try {
      process.kill(this.#pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  #function(): Promise<RunningFunction> {
    this.#running ??= this.#start();
    return this.#running;
  }

  async #start(): Promise<RunningFunction> {
    const {
      handlerPath,
      environment,
      functionName = 'labelqueue-classify',
      execArgv = [],
      onLog,
      onErrorText = onLog,
      onLine,
    } = this.#configuration;
    const child = fork(BOOTSTRAP, [handlerPath, functionName], {
      env: { ...process.env, ...WORKER_PROCESS_ENVIRONMENT, ...environment },
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C reaches the parent alone, which lets the work in hand finish.
      detached: true,
    });
    this.#pid = child.pid;
    this.#starts++;
    this.#rssBytes = 0;
    child.stdout?.setEncoding('utf8').on('data', onLog);
    child.stderr?.setEncoding('utf8').on('data', onErrorText);
    if (onLine !== undefined) child.stdout?.on('data', wholeLines(onLine));
    const waiting: RunningFunction['waiting'] = new Map();
    const initialized = Promise.withResolvers<void>();
    child.on('message', (report: RuntimeReport) => {
      if (report.kind === 'initialized') initialized.resolve();
      else if (report.kind === 'not initialized') initialized.reject(new FunctionError(report.message));
      else {
        if (report.kind === 'response') this.#rssBytes = report.rssBytes;
        settle(waiting, report);
      }
    });
    child.once('exit', (code, signal) => {
      this.#running = undefined;
      this.#pid = undefined;
      const error = new FunctionError(`the function's process ended with ${signal ?? `exit code ${code}`}`);
      initialized.reject(error);
      for (const answer of waiting.values()) answer.reject(error);
      this.onExit();
    });
    await initialized.promise;
    return { child, waiting };
  }
}

function settle(waiting: RunningFunction['waiting'], report: Extract<RuntimeReport, { requestId: string }>): void {
  const answer = waiting.get(report.requestId);
  waiting.delete(report.requestId);
  if (report.kind === 'response') answer?.resolve(report.response);
  else answer?.reject(new FunctionError(report.message));
}

/** A child that is gone already reports so by its exit. */
function ignoreDeadChild(): void {}
