import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type FunctionConfiguration, FunctionError, FunctionProcess } from './function-process.ts';

export { type FunctionConfiguration, FunctionError };

/**
 * One execution environment of a function: a process of its own that initializes once, then takes
 * invocations. Lambda gives one the next only after the last has been answered; here that is up to
 * the caller. When the process dies or an invocation exceeds its timeout it is replaced at the
 * next invocation, as in Lambda.
 */
export class ExecutionEnvironment<Event = SQSEvent, Response = SQSBatchResponse> {
  readonly #configuration: FunctionConfiguration;
  /** The process that starts or runs. */
  #process: FunctionProcess | undefined;
  #rssBytes = 0;
  #starts = 0;
  /** Called whenever a process has ended, for whatever reason. */
  onExit: () => void = () => {};

  constructor(configuration: FunctionConfiguration) {
    this.#configuration = configuration;
  }

  /** Of the running process; undefined when there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Memory that the process held after its last invocation; 0 when there was none. */
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
   * @param timeout milliseconds: less than the function's own timeout where there is not so much time
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

  /** Ends the process at once, whatever it is doing. */
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
