import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { extname, join } from 'node:path';
import { UserError } from '../shared/contract/user-error.ts';
import { WORKER_PROCESS_ENVIRONMENT } from '../shared/runtime/worker-process.ts';
import { wholeLines } from './whole-lines.ts';

/** The source while it runs from source, the bundle once it is packaged. */
const BOOTSTRAP = join(import.meta.dirname, `runtime-bootstrap${extname(import.meta.filename)}`);
/** How long a process may take to end once it is to; one that was stopped (SIGSTOP) never would. */
const SHUT_DOWN_MS = 5_000;
/** How long a process may take to load its handler and the model: seconds, more on a machine that is busy or has a cold disk. */
const START_TIMEOUT_MS = 120_000;

/** What the parent sends for each invocation; `deadline` is in epoch milliseconds. */
export type InvocationRequest = { requestId: string; event: unknown; deadline: number };
/** What the child sends: once whether it has initialized, then one answer per invocation. */
export type RuntimeReport =
  | { kind: 'initialized' }
  | { kind: 'not initialized'; message: string }
  | { kind: 'response'; requestId: string; response: unknown; rssBytes: number }
  | { kind: 'error'; requestId: string; message: string };

/** A function that ended without an answer; Lambda's event sources treat it as a failed batch. */
export class FunctionError extends UserError {
  override readonly name = 'FunctionError';
}

/** How the process of a function is started, and what it may use. */
export type FunctionConfiguration = {
  /** The module that exports `handler`. */
  handlerPath: string;
  timeoutSeconds: number;
  /** How long a process may take until it is initialized; 120 s without. */
  startTimeoutMs?: number;
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

/** One process of a function, from its start to its end. */
export class FunctionProcess {
  readonly #child: ChildProcess;
  /** Invocations without an answer so far, by the ids of their requests. */
  readonly #waiting = new Map<string, PromiseWithResolvers<unknown>>();
  readonly #initialized = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Why it was killed before it was initialized. */
  #refusal: string | undefined;
  #rssBytes = 0;

  /** @throws {FunctionError} when the system refuses at once, e.g. an environment that is too large */
  constructor(configuration: FunctionConfiguration) {
    this.#child = forked(configuration);
    // Nothing is unhandled where the process ends before `initialized` is awaited.
    this.#initialized.promise.catch(() => {});
    this.#child.on('message', (report: RuntimeReport) => this.#take(report));
    // No process, no exit: the system had no process or no file left. Of one that runs, its exit follows.
    this.#child.on('error', ({ message }) => {
      if (this.#child.pid === undefined) this.#end(`the function's process could not be started: ${message}`);
    });
    this.#child.once('exit', (code, signal) =>
      this.#end(this.#refusal ?? `the function's process ended with ${signal ?? `exit code ${code}`}`),
    );
    this.#limitStart(configuration.startTimeoutMs ?? START_TIMEOUT_MS);
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Memory that it held after its last invocation; 0 before. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** Resolves when it can be invoked. @throws {FunctionError} once it has ended, when it could not be initialized */
  get initialized(): Promise<void> {
    return this.#initialized.promise;
  }

  /** Resolves when it has ended, or could not be started. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * @param timeout milliseconds, after which the process is killed
   * @throws {FunctionError} when the function throws, dies or exceeds its timeout
   */
  async invoke(event: unknown, timeout: number): Promise<unknown> {
    const request: InvocationRequest = { requestId: randomUUID(), event, deadline: Date.now() + timeout };
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(request.requestId, answer);
    this.#child.send(request, ignoreDeadChild);
    const timer = setTimeout(() => this.kill(), timeout);
    try {
      return await answer.promise;
    } catch (error) {
      if (Date.now() < request.deadline) throw error;
      throw new FunctionError(`Task timed out after ${timeout / 1_000} seconds`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it once it is idle. */
  async shutDown(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.kill(), SHUT_DOWN_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends it at once, whatever it is doing. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #limitStart(timeoutMs: number): void {
    const refuse = () => this.#refuse(`expected the function to be initialized within ${timeoutMs / 1_000} seconds`);
    const timer = setTimeout(refuse, timeoutMs);
    this.#initialized.promise.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /** Killed: whatever it has begun to load may keep it alive, and the next process must not run beside it. */
  #refuse(reason: string): void {
    this.#refusal ??= reason;
    this.kill();
  }

  #take(report: RuntimeReport): void {
    if (report.kind === 'initialized') this.#initialized.resolve();
    else if (report.kind === 'not initialized') this.#refuse(report.message);
    else this.#settle(report);
  }

  #settle(report: Extract<RuntimeReport, { requestId: string }>): void {
    const answer = this.#waiting.get(report.requestId);
    this.#waiting.delete(report.requestId);
    if (report.kind === 'response') {
      this.#rssBytes = report.rssBytes;
      answer?.resolve(report.response);
    } else answer?.reject(new FunctionError(report.message));
  }

  #end(reason: string): void {
    const error = new FunctionError(reason);
    this.#ended.resolve();
    this.#initialized.reject(error);
    for (const answer of this.#waiting.values()) answer.reject(error);
  }
}

function forked(configuration: FunctionConfiguration): ChildProcess {
  const { handlerPath, environment, functionName = 'labelqueue-classify', execArgv = [] } = configuration;
  const { onLog, onErrorText = onLog, onLine } = configuration;
  const child = orFunctionError(() =>
    fork(BOOTSTRAP, [handlerPath, functionName], {
      env: { ...process.env, ...WORKER_PROCESS_ENVIRONMENT, ...environment },
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C reaches the parent alone, which lets the work in hand finish.
      detached: true,
    }),
  );
  child.stdout?.setEncoding('utf8').on('data', onLog);
  child.stderr?.setEncoding('utf8').on('data', onErrorText);
  if (onLine !== undefined) child.stdout?.on('data', wholeLines(onLine));
  return child;
}

function orFunctionError(start: () => ChildProcess): ChildProcess {
  try {
    return start();
  } catch (error) {
    const message = `the function's process could not be started: ${(error as Error).message}`;
    throw new FunctionError(message, { cause: error });
  }
}

/** A child that is gone already reports so by its exit. */
function ignoreDeadChild(): void {}
