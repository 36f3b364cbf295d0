import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { CANCELLATION_CHECK_MS } from '../../shared/contract/limits.ts';

/**
 * Which runs are cancelled, looked up in S3 at most once per run and `CANCELLATION_CHECK_MS`. A cancelled run stays
 * cancelled. A job whose messages have no run does not: after a purge its name may be used again.
 */
export class Cancellations {
  readonly #lookUp: (of: JobRun) => Promise<boolean>;
  readonly #now: () => number;
  readonly #answers = new Map<string, { cancelled: boolean; checkedAt: number }>();

  /** @param lookUp whether a run is cancelled; when it rejects, the last known answer stays */
  constructor(lookUp: (of: JobRun) => Promise<boolean>, now: () => number = Date.now) {
    this.#lookUp = lookUp;
    this.#now = now;
  }

  /** The last known answer; false before the first look-up. */
  isCancelled(of: JobRun): boolean {
    return this.#answers.get(runName(of))?.cancelled ?? false;
  }

  /** Looks up the runs whose answers are stale. */
  async refresh(runs: Iterable<JobRun>): Promise<void> {
    const byName = new Map(Array.from(runs, (of) => [runName(of), of]));
    await Promise.all(Array.from(byName.values(), (of) => this.#refreshOne(of)));
  }

  /** Refreshes periodically until disposed of. */
  watch(runs: readonly JobRun[]): Disposable {
    const timer = setInterval(() => void this.refresh(runs), CANCELLATION_CHECK_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  async #refreshOne({ job, run }: JobRun): Promise<void> {
    const known = this.#answers.get(runName({ job, run }));
    const isFinal = known?.cancelled === true && run !== undefined;
    if (isFinal || (known !== undefined && this.#now() - known.checkedAt < CANCELLATION_CHECK_MS)) return;
    const cancelled = await this.#lookUp({ job, run }).catch(() => known?.cancelled ?? false);
    this.#answers.set(runName({ job, run }), { cancelled, checkedAt: this.#now() });
  }
}
