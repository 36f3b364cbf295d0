import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { extname, join } from 'node:path';
import { UserError } from '../shared/contract/user-error.ts';
import { WORKER_PROCESS_ENVIRONMENT } from '../shared/runtime/worker-process.ts';
import type { Launcher } from './pinned-core.ts';
import { wholeLines } from './whole-lines.ts';

/** The source file when run from source, the bundle when packaged. */
const BOOTSTRAP = join(import.meta.dirname, `runtime-bootstrap${extname(import.meta.filename)}`);
/** How long a process may take to end when asked to; a stopped one (SIGSTOP) never would. */
const SHUT_DOWN_MS = 5_000;
/** How long a process may take to load its handler and the model: seconds, more on a machine that is busy or has a cold disk. */
const START_TIMEOUT_MS = 120_000;

/** What the parent sends for each invocation; `deadline` is in epoch milliseconds. */
export type InvocationRequest = { requestId: string; event: unknown; deadline: number };
/** What the child sends: whether it has initialized, then one response per invocation. */
export type RuntimeReport =
  | { kind: 'initialized' }
  | { kind: 'not initialized'; message: string }
  | { kind: 'response'; requestId: string; response: unknown; rssBytes: number }
  | { kind: 'error'; requestId: string; message: string };

/** A function ended without a response; Lambda's event sources treat that as a failed batch. */
export class FunctionError extends UserError {
  override readonly name = 'FunctionError';
}

/** How the process of a function is started, and what it may use. */
export type FunctionConfiguration = {
  /** The module that exports `handler`. */
  handlerPath: string;
  timeoutSeconds: number;
  /** How long the initialization may take; 120 s by default. */
  startTimeoutMs?: number;
  environment: Record<string, string>;
  /** The name of the function in its context and its logs. */
  functionName?: string;
  /** Flags for Node, e.g. a memory limit. */
  execArgv?: readonly string[];
  /** Asked at each start for a command that starts Node, e.g. on a certain core, and becomes it; by default there is none. */
  launcher?: () => Launcher | undefined;
  /** Receives the function's standard output and error. */
  onLog: (text: string) => void;
  /** Receives its standard error, in place of `onLog`. */
  onErrorText?: (text: string) => void;
  /** Also receives each whole line of its standard output; `onLog` receives chunks. */
  onLine?: (line: string) => void;
};

/** One process of a function. */
export class FunctionProcess {
  readonly #child: ChildProcess;
  /** Pending invocations by request id. */
  readonly #waiting = new Map<string, PromiseWithResolvers<unknown>>();
  readonly #initialized = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** The reason if it was killed before it was initialized. */
  #refusal: string | undefined;
  #rssBytes = 0;

  /** @throws {FunctionError} when the system refuses to start it, e.g. for an environment that is too large */
  constructor(configuration: FunctionConfiguration) {
    this.#child = forked(configuration);
    // Prevents an unhandled rejection when the process ends before `initialized` is awaited.
    this.#initialized.promise.catch(() => {});
    this.#child.on('message', (report: RuntimeReport) => this.#take(report));
    // Without a process there is no exit event: the system was out of processes or files.
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

  /** Memory after its last invocation; 0 before the first. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** Resolves when it can be invoked. @throws {FunctionError} when the initialization failed, once the process has ended */
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

  /** Kills it immediately. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #limitStart(timeoutMs: number): void {
    const refuse = () => this.#refuse(`expected the function to be initialized within ${timeoutMs / 1_000} seconds`);
    const timer = setTimeout(refuse, timeoutMs);
    this.#initialized.promise.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /** Kills it: what it has started to load may keep it alive, and the next process must not run at the same time. */
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
  const [command, ...args] = [...(configuration.launcher?.() ?? []), process.execPath, ...execArgv] as const;
  const child = orFunctionError(() =>
    fork(BOOTSTRAP, [handlerPath, functionName], {
      env: { ...process.env, ...WORKER_PROCESS_ENVIRONMENT, ...environment },
      execPath: command,
      execArgv: args,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A separate process group: Ctrl-C reaches only the parent, which lets in-flight work finish.
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

/** A child that has exited already is noticed by its exit event. */
function ignoreDeadChild(): void {}
