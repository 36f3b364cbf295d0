import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { type ExecutionEnvironment, FunctionError } from './execution-environment.ts';
import type { HeldMessage } from './held-message.ts';
import type { Intake } from './intake.ts';
import { giveBack, giveBackWaiting, type LoopParts } from './loop-parts.ts';
import { startProcess } from './process-start.ts';
import { eventOf } from './sqs-record.ts';

/** Runs batches on one process until nothing more is to be done. */
export class Lane {
  readonly #environment: ExecutionEnvironment;
  readonly #parts: LoopParts;
  readonly #intake: Intake;

  constructor(environment: ExecutionEnvironment, parts: LoopParts, intake: Intake) {
    this.#environment = environment;
    this.#parts = parts;
    this.#intake = intake;
  }

  async run(): Promise<void> {
    while (await this.#hasProcess()) {
      const batch = await this.#nextBatch();
      if (batch === 'no process') continue;
      if (batch === undefined) break;
      await this.#work(batch);
      await this.#replaceIfLarge();
    }
    this.#parts.ready.delete(this.#environment);
  }

  get #isGone(): boolean {
    return !this.#parts.options.isLazy && this.#environment.pid === undefined;
  }

  async #hasProcess(): Promise<boolean> {
    const { options, ready, started, drain, changed, fail } = this.#parts;
    if (this.#isGone) ready.delete(this.#environment);
    // Messages that wait when the loop drains may still be processed by a running process.
    if (options.isLazy || (drain.isStopping && !this.#isGone)) return true;
    try {
      const start = { onFailure: (error: FunctionError) => this.#startFailed(error), started, signal: drain.signal };
      if (!(await startProcess(this.#environment, start))) return false;
    } catch (error) {
      fail();
      throw error;
    }
    ready.add(this.#environment);
    changed.all();
    return true;
  }

  /** While no process is ready, held messages are given back to other workers: starts may fail for hours. */
  #startFailed(error: FunctionError): void {
    const { options, ready } = this.#parts;
    options.onFunctionError(error);
    if (ready.size === 0) void giveBackWaiting(this.#parts);
  }

  /** @returns undefined once the loop drains and nothing more can be finished */
  async #nextBatch(): Promise<HeldMessage[] | 'no process' | undefined> {
    const { held, drain, changed, pace } = this.#parts;
    for (;;) {
      if (this.#isGone) return 'no process';
      const batch = held.take(this.#batchNow());
      if (batch.length > 0) {
        changed.all();
        return batch;
      }
      if (drain.mayBegin(pace) === 0) {
        // Immediately, not when the other processes are done: another worker may be idle.
        await giveBackWaiting(this.#parts);
        return undefined;
      }
      if (drain.isStopping && !this.#intake.isExpecting) return undefined;
      await changed.wait();
    }
  }

  /** A share of the waiting messages, so that the last messages of a job keep all processes busy. */
  #batchNow(): number {
    const { held, ready, pace, drain } = this.#parts;
    const share = Math.ceil(held.waiting / Math.max(1, ready.size));
    return Math.min(pace.batchSize, Math.max(1, share), drain.mayBegin(pace));
  }

  async #work(batch: HeldMessage[]): Promise<void> {
    const { held, changed, fail } = this.#parts;
    try {
      await this.#invoke(batch);
    } catch (error) {
      if (!(error instanceof FunctionError)) {
        fail();
        throw error;
      }
      await this.#handleFailure(error, batch);
    } finally {
      held.release(batch);
      changed.all();
    }
  }

  async #invoke(batch: HeldMessage[]): Promise<void> {
    const { options, held, calls, counts, pace, drain } = this.#parts;
    const { timeoutSeconds = FUNCTION_TIMEOUT_SECONDS } = options;
    const started = performance.now();
    const event = eventOf(batch.map(({ message }) => message));
    const timeoutMs = Math.max(1, Math.min(timeoutSeconds * 1_000, drain.msLeft));
    const { batchItemFailures } = await this.#environment.invoke(event, timeoutMs);
    pace.took(batch.length, performance.now() - started);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const [deleted, inQueue] = partition(batch.filter(({ id }) => !failed.has(id)));
    const done = held.owned(inQueue);
    const acknowledged = await calls.acknowledge(done);
    counts.acknowledged += deleted.length + acknowledged;
    counts.left += failed.size + done.length - acknowledged;
  }

  /** A process that was killed at the end of the drain was not killed by its messages: they are given back immediately. */
  async #handleFailure(error: FunctionError, batch: HeldMessage[]): Promise<void> {
    const { drain, counts, options } = this.#parts;
    if (drain.isOver) return giveBack(this.#parts, batch);
    counts.failures++;
    counts.left += batch.length;
    options.onFunctionError(error);
  }

  async #replaceIfLarge(): Promise<void> {
    const { options, ready } = this.#parts;
    const { processMemoryBytes = Number.POSITIVE_INFINITY } = options;
    if (this.#environment.rssBytes <= processMemoryBytes) return;
    ready.delete(this.#environment);
    await this.#environment.shutDown();
  }
}

/** Messages that the handler has deleted itself come first. */
function partition(messages: readonly HeldMessage[]): [HeldMessage[], HeldMessage[]] {
  return [messages.filter(({ isDeleted }) => isDeleted), messages.filter(({ isDeleted }) => !isDeleted)];
}
