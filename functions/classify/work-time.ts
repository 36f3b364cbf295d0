import { FUNCTION_MEMORY_MB } from '../../shared/contract/limits.ts';
import type { WorkerMachine, WorkerTime } from '../../shared/contract/worker-time.ts';

/** What the clock of a worker starts with. */
export type WorkTimeOptions = {
  /** The machine of this worker. */
  machine?: WorkerMachine;
  /** A monotonic clock, in milliseconds. */
  now?: () => number;
  /** How long this process took to start: Lambda bills it, and it is counted to the first job. */
  startMs?: number;
};

/**
 * How long a worker worked on each job. The time between two outcomes belongs to the job of the second one, so that the sum
 * over all jobs is the duration of the invocations, including waits for image servers: what Lambda bills. The time of images
 * that are only retried is added to the next part file that this worker writes for their job.
 */
export class WorkTime {
  readonly #machine: WorkerMachine;
  readonly #now: () => number;
  readonly #milliseconds = new Map<string, number>();
  #since: number | undefined;
  /** The end of an invocation, after its last outcome. */
  #carried: number;

  constructor({
    machine = { host: 'lambda', architecture: 'x86_64', memoryMb: FUNCTION_MEMORY_MB },
    now = () => performance.now(),
    startMs = 0,
  }: WorkTimeOptions = {}) {
    this.#machine = machine;
    this.#now = now;
    this.#carried = startMs;
  }

  /** Starts the clock; it stops when the result is disposed of. */
  begin(): Disposable {
    this.#since = this.#now() - this.#carried;
    return {
      [Symbol.dispose]: () => {
        this.#carried = this.#since === undefined ? 0 : this.#now() - this.#since;
        this.#since = undefined;
      },
    };
  }

  /** Counts the time since the last outcome to this job. */
  spentOn(job: string): void {
    if (this.#since === undefined) return;
    const now = this.#now();
    this.#add(job, now - this.#since);
    this.#since = now;
  }

  /** The time since the last call, in whole milliseconds; the fraction is kept for the next call. */
  take(job: string): WorkerTime {
    const exact = this.#milliseconds.get(job) ?? 0;
    const milliseconds = Math.floor(exact);
    if (exact > milliseconds) this.#milliseconds.set(job, exact - milliseconds);
    else this.#milliseconds.delete(job);
    return { ...this.#machine, milliseconds };
  }

  /** Returns what was taken but could not be written. */
  giveBack(job: string, { milliseconds }: WorkerTime): void {
    if (milliseconds > 0) this.#add(job, milliseconds);
  }

  #add(job: string, milliseconds: number): void {
    this.#milliseconds.set(job, (this.#milliseconds.get(job) ?? 0) + milliseconds);
  }
}
