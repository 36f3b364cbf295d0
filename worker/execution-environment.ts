import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type FunctionConfiguration, FunctionError, FunctionProcess } from './function-process.ts';

export { type FunctionConfiguration, FunctionError };

/**
 * One execution environment of a function: a process that initializes once, then handles invocations. Lambda sends the next
 * invocation only after the previous one has returned; here that is up to the caller. When the process dies or an invocation
 * times out, the process is replaced at the next invocation, as in Lambda.
 */
export class ExecutionEnvironment<Event = SQSEvent, Response = SQSBatchResponse> {
  readonly #configuration: FunctionConfiguration;
  /** The process that starts or runs. */
  #process: FunctionProcess | undefined;
  #rssBytes = 0;
  #starts = 0;
  /** Called whenever a process has ended, for any reason. */
  onExit: () => void = () => {};

  constructor(configuration: FunctionConfiguration) {
    this.#configuration = configuration;
  }

  /** The id of the running process; undefined when there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Memory of the process after its last invocation; 0 before the first. */
  get rssBytes(): number {
    return this.#process?.rssBytes ?? this.#rssBytes;
  }

  /** How often a process was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts the process and waits until the function is initialized. @throws {FunctionError} when it cannot be */
  async initialize(): Promise<void> {
    await this.#initialized();
  }

  /**
   * @param timeout milliseconds: less than the function's timeout where less time remains
   * @throws {FunctionError} when the function throws, dies or exceeds its timeout
   */
  async invoke(event: Event, timeout: number = this.#configuration.timeoutSeconds * 1_000): Promise<Response> {
    return (await (await this.#initialized()).invoke(event, timeout)) as Response;
  }

  /** Ends the process once it is idle. */
  async shutDown(): Promise<void> {
    const running = this.#process;
    await running?.initialized.catch(() => undefined);
    await running?.shutDown();
  }

  /** Kills the process immediately. */
  kill(): void {
    this.#process?.kill();
  }

  async #initialized(): Promise<FunctionProcess> {
    this.#process ??= this.#start();
    const running = this.#process;
    await running.initialized;
    return running;
  }

  #start(): FunctionProcess {
    const started = new FunctionProcess(this.#configuration);
    this.#starts++;
    this.#rssBytes = 0;
    void started.ended.then(() => this.#forget(started));
    return started;
  }

  #forget({ rssBytes }: FunctionProcess): void {
    this.#rssBytes = rssBytes;
    this.#process = undefined;
    this.onExit();
  }
}
