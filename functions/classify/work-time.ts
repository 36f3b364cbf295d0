/**
 * How long a worker was at work on each job. The time between two outcomes belongs to the job of the second one, so that
 * the sum over all jobs is the time of the invocations, waiting for image servers with it: what Lambda bills.
 */
export class WorkTime {
  readonly #now: () => number;
  readonly #milliseconds = new Map<string, number>();
  #since: number | undefined;
  /** Of the end of an invocation, after its last outcome. */
  #carried = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
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
    this.#milliseconds.set(job, (this.#milliseconds.get(job) ?? 0) + now - this.#since);
    this.#since = now;
  }

  /** Milliseconds since this was asked last. */
  take(job: string): number {
    const milliseconds = this.#milliseconds.get(job) ?? 0;
    this.#milliseconds.delete(job);
    return milliseconds;
  }
}
