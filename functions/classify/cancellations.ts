import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { CANCELLATION_CHECK_MS } from '../../shared/contract/limits.ts';

/**
 * Which runs were cancelled, asked for in S3 as seldom as possible: once per run and ten seconds. A cancelled run stays
 * so. A job whose messages have no run does not: after a purge its name may be used again.
 */
export class Cancellations {
  readonly #ask: (of: JobRun) => Promise<boolean>;
  readonly #now: () => number;
  readonly #answers = new Map<string, { cancelled: boolean; askedAt: number }>();

  /** @param ask whether a run is cancelled; when it fails, the run counts as it did before */
  constructor(ask: (of: JobRun) => Promise<boolean>, now: () => number = Date.now) {
    this.#ask = ask;
    this.#now = now;
  }

  /** As it was when it was last asked for. */
  isCancelled(of: JobRun): boolean {
    return this.#answers.get(runName(of))?.cancelled ?? false;
  }

  /** Asks for the runs whose answers have grown old. */
  async refresh(runs: Iterable<JobRun>): Promise<void> {
    const byName = new Map(Array.from(runs, (of) => [runName(of), of]));
    await Promise.all(Array.from(byName.values(), (of) => this.#refreshOne(of)));
  }

  /** Asks again and again while an invocation lasts. */
  watch(runs: readonly JobRun[]): Disposable {
    const timer = setInterval(() => void this.refresh(runs), CANCELLATION_CHECK_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  async #refreshOne({ job, run }: JobRun): Promise<void> {
    const known = this.#answers.get(runName({ job, run }));
    const isFinal = known?.cancelled === true && run !== undefined;
    if (isFinal || (known !== undefined && this.#now() - known.askedAt < CANCELLATION_CHECK_MS)) return;
    const cancelled = await this.#ask({ job, run }).catch(() => known?.cancelled ?? false);
    this.#answers.set(runName({ job, run }), { cancelled, askedAt: this.#now() });
  }
}
