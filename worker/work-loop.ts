import { setTimeout as delay } from 'node:timers/promises';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DEADLINE_RESERVE_MS, EVENT_SOURCE_BATCH_SIZE, FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { type ExecutionEnvironment, FunctionError } from './execution-environment.ts';
import { Heartbeat } from './heartbeat.ts';
import type { HeldMessage } from './held-message.ts';
import { HeldMessages } from './held-messages.ts';
import { Pace } from './pace.ts';
import { startProcess } from './process-start.ts';
import { QueueCalls } from './queue-calls.ts';
import { SqsOutage } from './sqs-outage.ts';
import { eventOf } from './sqs-record.ts';
import { WakeUp } from './wake-up.ts';

/** An idle loop costs a request per so many seconds, and ends this long after its signal at most. */
export const POLL_SECONDS = 5;
/** Of a lease: a message must not wait in an answer until its lease is used up. */
const POLLS_PER_LEASE = 4;
/** One poller receives a few hundred messages per second: more than so many processes work through. */
const PROCESSES_PER_POLLER = 8;
/** For an answer of SQS; the SDK itself waits forever. */
const ANSWER_TIMEOUT_MS = 28_000;

export type WorkLoopOptions = {
  sqs: SQSClient;
  queueUrl: string;
  /** The queue's visibility timeout: how long it hides a message from others. */
  visibilitySeconds: number;
  environments: readonly ExecutionEnvironment[];
  /** Is given each batch's failure as a whole, and why a process did not start. */
  onFunctionError: (error: FunctionError) => void;
  /** Is given a line when SQS does not answer, and another when it does again; standard error without. */
  onNotice?: (text: string) => void;
  /** Messages that an invocation is given at most. */
  batchSize?: number;
  /** Whether a process is started only once there is work for it. */
  isLazy?: boolean;
  /** A process that holds more bytes than this after a batch is replaced. */
  processMemoryBytes?: number;
  /** The most that an invocation may take. */
  timeoutSeconds?: number;
  pollSeconds?: number;
  answerTimeoutMs?: number;
  longestWaitMs?: number;
};

/** What a loop has done so far, in messages; `restarts` and `failures` count processes and batches. */
export type WorkCounts = {
  received: number;
  acknowledged: number;
  /** Not acknowledged: they come back when their visibility timeout ends. */
  left: number;
  givenBack: number;
  lost: number;
  failures: number;
  restarts: number;
};

/**
 * Feeds processes from a queue: the event source outside Lambda. It holds a batch in advance for each process, renews what it holds, and
 * acknowledges what an invocation has done. What the function names in `batchItemFailures`, and each message of an invocation that
 * failed, is left to its visibility timeout, as Lambda does; the queue's redrive policy does the rest.
 */
export class WorkLoop {
  readonly #options: WorkLoopOptions;
  readonly #outage: SqsOutage;
  readonly #calls: QueueCalls;
  readonly #held = new HeldMessages();
  readonly #heartbeat: Heartbeat;
  readonly #pace: Pace;
  readonly #changed = new WakeUp();
  readonly #stopping = new AbortController();
  readonly #started = { any: false };
  readonly #counts = { received: 0, acknowledged: 0, left: 0, givenBack: 0, failures: 0 };
  /** Environments that have a process and can take work. */
  readonly #ready = new Set<ExecutionEnvironment>();
  /** Messages that polls under way may bring. */
  #asked = 0;
  #drainUntil = Number.POSITIVE_INFINITY;
  #beginsMore = true;
  #isOver = false;
  #lanes: Promise<void>[] = [];
  #pollers: Promise<void>[] = [];

  constructor(options: WorkLoopOptions) {
    this.#options = options;
    this.#outage = new SqsOutage(options);
    const { sqs, queueUrl, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    const leaseMs = options.visibilitySeconds * 1_000;
    this.#calls = new QueueCalls({ sqs, queueUrl, leaseMs, outage: this.#outage, answerTimeoutMs });
    this.#heartbeat = new Heartbeat(this.#held, this.#calls, leaseMs);
    this.#pace = new Pace(options.batchSize ?? EVENT_SOURCE_BATCH_SIZE);
  }

  start(): void {
    const { environments, isLazy = false } = this.#options;
    if (isLazy) for (const environment of environments) this.#ready.add(environment);
    for (const environment of environments) environment.onExit = () => this.#changed.all();
    this.#lanes = environments.map((environment) => this.#lane(environment));
    const pollers = Math.ceil(environments.length / PROCESSES_PER_POLLER);
    this.#pollers = Array.from({ length: pollers }, () => this.#poll());
    this.#heartbeat.start();
  }

  get counts(): WorkCounts {
    const starts = this.#options.environments.reduce(
      (sum, environment) => sum + Math.max(0, environment.starts - 1),
      0,
    );
    return { ...this.#counts, lost: this.#held.lost, restarts: starts };
  }

  /** Messages in hand. */
  get held(): { waiting: number; inWork: number } {
    return { waiting: this.#held.waiting, inWork: this.#held.inWork };
  }

  /** How many processes can take work. */
  get readyProcesses(): number {
    return this.#ready.size;
  }

  get isSqsAnswering(): boolean {
    return !this.#outage.isGoingOn;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Rejects when the loop could not go on: the queue is gone, a key is refused, no process has ever started. */
  async ended(): Promise<void> {
    await Promise.all([...this.#lanes, ...this.#pollers]);
  }

  /**
   * Takes no more messages, finishes those in hand as far as there is time, gives back the others, and resolves then. Asked
   * again, it shortens the time.
   *
   * @param drainMs after that, processes that are still at work are killed
   * @param beginsMore whether what is in hand and was not begun is done too; it is given back at once otherwise
   */
  async stop(drainMs: number = Number.POSITIVE_INFINITY, beginsMore = true): Promise<void> {
    this.#drainUntil = Math.min(this.#drainUntil, performance.now() + drainMs);
    this.#beginsMore &&= beginsMore;
    this.#stopping.abort();
    this.#outage.stopWaiting();
    this.#changed.all();
    if (this.#hasNoTime()) await this.#giveBack(this.#held.take(Number.POSITIVE_INFINITY));
    const settled = Promise.allSettled([...this.#pollers, ...this.#lanes]);
    const timer = Number.isFinite(drainMs) ? setTimeout(() => this.#killAll(), drainMs) : undefined;
    await settled;
    clearTimeout(timer);
    await this.#giveBack(this.#held.take(Number.POSITIVE_INFINITY));
    this.#heartbeat[Symbol.dispose]();
  }

  #killAll(): void {
    this.#isOver = true;
    for (const environment of this.#options.environments) environment.kill();
  }

  async #poll(): Promise<void> {
    while (!this.isStopping) {
      const room = this.#room();
      if (room > 0) await this.#receive(room);
      else await this.#changed.wait();
    }
  }

  /** A batch in advance for each process that can take it; what other polls may bring counts as there. */
  #room(): number {
    return this.#ready.size * this.#pace.batchSize - this.#held.waiting - this.#asked;
  }

  async #receive(room: number): Promise<void> {
    const most = Math.min(room, EVENT_SOURCE_BATCH_SIZE);
    const waitSeconds = this.#waitSeconds();
    this.#asked += most;
    try {
      const messages = await this.#calls.receive(most, waitSeconds);
      this.#counts.received += messages.length;
      this.#held.add(messages);
      if (messages.length === 0 && waitSeconds === 0) await delay(this.#shortPauseMs());
    } catch (error) {
      this.#fail();
      throw error;
    } finally {
      this.#asked -= most;
      this.#changed.all();
    }
  }

  #waitSeconds(): number {
    const { pollSeconds = POLL_SECONDS, visibilitySeconds } = this.#options;
    return Math.min(pollSeconds, Math.floor(visibilitySeconds / POLLS_PER_LEASE));
  }

  /** Between polls that do not wait, of a queue that hides messages for next to no time. */
  #shortPauseMs(): number {
    return (this.#options.visibilitySeconds * 1_000) / (5 * POLLS_PER_LEASE);
  }

  /** One part of the loop cannot go on: the others must not wait for it. */
  #fail(): void {
    this.#stopping.abort();
    this.#outage.stopWaiting();
    this.#changed.all();
  }

  /** One process, from batch to batch. */
  async #lane(environment: ExecutionEnvironment): Promise<void> {
    while (await this.#hasProcess(environment)) {
      const batch = await this.#nextBatch(environment);
      if (batch === 'no process') continue;
      if (batch === undefined) break;
      await this.#work(environment, batch);
      await this.#replaceIfLarge(environment);
    }
    this.#ready.delete(environment);
  }

  async #hasProcess(environment: ExecutionEnvironment): Promise<boolean> {
    const { isLazy = false, onFunctionError } = this.#options;
    if (isLazy) return true;
    if (environment.pid === undefined) this.#ready.delete(environment);
    // Whatever waits when the loop ends may still be done by a process that runs.
    if (this.isStopping && environment.pid !== undefined) return true;
    try {
      const options = { onFailure: onFunctionError, started: this.#started, signal: this.#stopping.signal };
      if (!(await startProcess(environment, options))) return false;
    } catch (error) {
      this.#fail();
      throw error;
    }
    this.#ready.add(environment);
    this.#changed.all();
    return true;
  }

  /** @returns undefined once the loop stops and no more can be finished */
  async #nextBatch(environment: ExecutionEnvironment): Promise<HeldMessage[] | 'no process' | undefined> {
    const { isLazy = false } = this.#options;
    for (;;) {
      if (!isLazy && environment.pid === undefined) return 'no process';
      const batch = this.#held.take(this.#batchNow());
      if (batch.length > 0) {
        this.#changed.all();
        return batch;
      }
      if (this.#hasNoTime()) {
        // Now, not once the others are done: somebody else may have time.
        await this.#giveBack(this.#held.take(Number.POSITIVE_INFINITY));
        return undefined;
      }
      if (this.isStopping && this.#asked === 0) return undefined;
      await this.#changed.wait();
    }
  }

  /** Not even one message can be finished before the drain ends. */
  #hasNoTime(): boolean {
    return this.isStopping && this.#messagesInTime() === 0;
  }

  #messagesInTime(): number {
    if (!this.#beginsMore) return 0;
    return this.#pace.messagesIn(this.#drainUntil - performance.now() - DEADLINE_RESERVE_MS);
  }

  /** A share of what waits, so that the last messages of a job keep all processes busy. */
  #batchNow(): number {
    const share = Math.ceil(this.#held.waiting / Math.max(1, this.#ready.size));
    const most = Math.min(this.#pace.batchSize, Math.max(1, share));
    return this.isStopping ? Math.min(most, this.#messagesInTime()) : most;
  }

  async #work(environment: ExecutionEnvironment, batch: HeldMessage[]): Promise<void> {
    const started = performance.now();
    const { timeoutSeconds = FUNCTION_TIMEOUT_SECONDS } = this.#options;
    const timeoutMs = Math.max(1, Math.min(timeoutSeconds * 1_000, this.#drainUntil - started));
    try {
      const event = eventOf(batch.map(({ message }) => message));
      const { batchItemFailures } = await environment.invoke(event, timeoutMs);
      this.#pace.took(batch.length, performance.now() - started);
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await this.#acknowledge(batch.filter(({ id }) => !failed.has(id)));
      this.#counts.left += failed.size;
    } catch (error) {
      if (!(error instanceof FunctionError)) throw this.#failedWith(error);
      await this.#handleFailure(error, batch);
    } finally {
      this.#held.release(batch);
      this.#changed.all();
    }
  }

  #failedWith(error: unknown): unknown {
    this.#fail();
    return error;
  }

  /** A process that the drain has killed was not killed by its messages: others may have them at once. */
  async #handleFailure(error: FunctionError, batch: HeldMessage[]): Promise<void> {
    if (this.#isOver) return this.#giveBack(batch);
    this.#counts.failures++;
    this.#counts.left += batch.length;
    this.#options.onFunctionError(error);
  }

  async #acknowledge(done: HeldMessage[]): Promise<void> {
    this.#counts.acknowledged += await this.#calls.acknowledge(this.#held.owned(done));
  }

  async #giveBack(messages: HeldMessage[]): Promise<void> {
    this.#counts.givenBack += await this.#calls.giveBack(messages);
    this.#held.release(messages);
  }

  async #replaceIfLarge(environment: ExecutionEnvironment): Promise<void> {
    const { processMemoryBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (environment.rssBytes <= processMemoryBytes) return;
    this.#ready.delete(environment);
    await environment.shutDown();
  }
}
