import { FUNCTION_MEMORY_MB } from '../../shared/contract/limits.ts';
import type { WorkerMachine, WorkerTime } from '../../shared/contract/worker-time.ts';

export type WorkTimeOptions = {
  /** What this worker runs on. */
  machine?: WorkerMachine;
  /** Milliseconds, of any clock that only goes forward. */
  now?: () => number;
  /** Milliseconds that the start of this process took: Lambda bills them, and the first job has them. */
  startMs?: number;
};

/**
 * How long a worker was at work on each job. The time between two outcomes belongs to the job of the second one, so that
 * the sum over all jobs is the time of the invocations, waiting for image servers with it: what Lambda bills. The time of
 * images that are only retried goes into the next part file that this worker writes for their job.
 */
export class WorkTime {
  readonly #machine: WorkerMachine;
  readonly #now: () => number;
  readonly #milliseconds = new Map<string, number>();
  #since: number | undefined;
  /** Of the end of an invocation, after its last outcome. */
  #carried: number;

  constructor({
    machine = { architecture: 'x86_64', memoryMb: FUNCTION_MEMORY_MB },
    now = () => performance.now(),
    startMs = 0,
  }: WorkTimeOptions = {}) {
    this.#machine = machine;
    this.#now = now;
    this.#carried = startMs;
  }

  /** Time counts until this is disposed of. */
  begin(): Disposable {
    this.#since = this.#now() - this.#carried;
    return {
      [Symbol.dispose]: () => {
        this.#carried = this.#since === undefined ? 0 : this.#now() - this.#since;
        this.#since = undefined;
      },
    };
  }

  /** An image of the job has an outcome now. */
  spentOn(job: string): void {
    if (this.#since === undefined) return;
    const now = this.#now();
    this.#add(job, now - this.#since);
    this.#since = now;
  }

  /** The time since this was asked last, in whole milliseconds; what is left of one stays for the next time. */
  take(job: string): WorkerTime {
    const exact = this.#milliseconds.get(job) ?? 0;
    const milliseconds = Math.floor(exact);
    if (exact > milliseconds) this.#milliseconds.set(job, exact - milliseconds);
    else this.#milliseconds.delete(job);
    return { ...this.#machine, milliseconds };
  }

  /** What was taken was not written down after all. */
  giveBack(job: string, { milliseconds }: WorkerTime): void {
    if (milliseconds > 0) this.#add(job, milliseconds);
  }

  #add(job: string, milliseconds: number): void {
    this.#milliseconds.set(job, (this.#milliseconds.get(job) ?? 0) + milliseconds);
  }
}
