import { EVENT_SOURCE_BATCH_SIZE } from '../shared/contract/limits.ts';
import { Drain } from './drain.ts';
import { Heartbeat } from './heartbeat.ts';
import { HeldMessages } from './held-messages.ts';
import { Intake } from './intake.ts';
import { Lane } from './lane.ts';
import { giveBackWaiting, type LoopParts, type WorkCounts, type WorkLoopOptions } from './loop-parts.ts';
import { Pace } from './pace.ts';
import { QueueCalls } from './queue-calls.ts';
import { SqsOutage } from './sqs-outage.ts';
import { WakeUp } from './wake-up.ts';

/** A poller receives a few hundred messages per second: more than this many processes handle. */
const PROCESSES_PER_POLLER = 8;
/** Timeout of SQS; the SDK itself waits forever. */
const ANSWER_TIMEOUT_MS = 28_000;
/** Time after the drain, to give back the messages of processes that were killed. */
const LAST_CALLS_MS = 5_000;

/**
 * Feeds processes from a queue: the event source outside Lambda. It holds a batch in advance per process, renews the leases of what
 * it holds, and acknowledges what an invocation has done. Messages in `batchItemFailures`, and all messages of a failed invocation,
 * are left to their visibility timeout, as on Lambda; the redrive policy of the queue does the rest.
 */
export class WorkLoop {
  readonly #parts: LoopParts;
  readonly #outage: SqsOutage;
  readonly #heartbeat: Heartbeat;
  readonly #intake: Intake;
  #running: Promise<void>[] = [];

  constructor(options: WorkLoopOptions) {
    const { sqs, queueUrl, visibilitySeconds, batchSize = EVENT_SOURCE_BATCH_SIZE } = options;
    const { answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    const leaseMs = visibilitySeconds * 1_000;
    this.#outage = new SqsOutage(options);
    const drain = new Drain();
    const outage = this.#outage;
    const calls = new QueueCalls({ sqs, queueUrl, leaseMs, outage, answerTimeoutMs, stopping: drain.signal });
    this.#parts = {
      options,
      calls,
      held: new HeldMessages(),
      pace: new Pace(batchSize),
      drain,
      changed: new WakeUp(),
      counts: { received: 0, acknowledged: 0, left: 0, givenBack: 0, failures: 0 },
      ready: new Set(options.isLazy ? options.environments : []),
      started: { any: false },
      fail: () => this.#stopReceiving(Number.POSITIVE_INFINITY, true),
    };
    this.#intake = new Intake(this.#parts);
    this.#heartbeat = new Heartbeat(this.#parts.held, calls, leaseMs);
  }

  start(): void {
    const { options, changed } = this.#parts;
    const { environments } = options;
    for (const environment of environments) environment.onExit = () => changed.all();
    const lanes = environments.map((environment) => new Lane(environment, this.#parts, this.#intake).run());
    const pollers = Array.from({ length: Math.ceil(environments.length / PROCESSES_PER_POLLER) }, () =>
      this.#intake.poll(),
    );
    this.#running = [...lanes, ...pollers];
    this.#heartbeat.start();
  }

  get counts(): WorkCounts {
    const { options, held, counts } = this.#parts;
    const restarts = options.environments.reduce((sum, { starts }) => sum + Math.max(0, starts - 1), 0);
    return { ...counts, lost: held.lost, restarts };
  }

  /** Messages held. */
  get held(): { waiting: number; inWork: number } {
    const { waiting, inWork } = this.#parts.held;
    return { waiting, inWork };
  }

  /** Number of ready processes. */
  get readyProcesses(): number {
    return this.#parts.ready.size;
  }

  get isSqsAnswering(): boolean {
    return !this.#outage.isGoingOn;
  }

  get isStopping(): boolean {
    return this.#parts.drain.isStopping;
  }

  /** Rejects when the loop has failed: the queue was deleted, credentials are invalid, no process has ever started. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  /**
   * Drains: receives no more messages, finishes the held ones as far as there is time, gives back the others, then resolves.
   * Called again, it shortens the time.
   *
   * @param drainMs after this, processes that still work are killed; 5 s later, pending calls of SQS are ended too
   * @param beginsMore whether held messages that were not started are processed too; otherwise they are given back immediately
   */
  async stop(drainMs: number = Number.POSITIVE_INFINITY, beginsMore = true): Promise<void> {
    const { drain, pace } = this.#parts;
    this.#stopReceiving(drainMs, beginsMore);
    const timers = Number.isFinite(drainMs) ? this.#timersOf(drainMs) : [];
    if (drain.mayBegin(pace) === 0) await giveBackWaiting(this.#parts);
    await Promise.allSettled(this.#running);
    await giveBackWaiting(this.#parts);
    for (const timer of timers) clearTimeout(timer);
    this.#heartbeat[Symbol.dispose]();
  }

  #timersOf(drainMs: number): NodeJS.Timeout[] {
    const { calls } = this.#parts;
    return [setTimeout(() => this.#killAll(), drainMs), setTimeout(() => calls.end(), drainMs + LAST_CALLS_MS)];
  }

  #stopReceiving(drainMs: number, beginsMore: boolean): void {
    this.#parts.drain.begin(drainMs, beginsMore);
    this.#parts.changed.all();
  }

  #killAll(): void {
    this.#parts.drain.timeIsUp();
    for (const environment of this.#parts.options.environments) environment.kill();
  }
}
