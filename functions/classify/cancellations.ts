import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { CANCELLATION_CHECK_MS } from '../../shared/contract/limits.ts';

/** Interval at which a watch looks for answers that have become too old. */
const TICK_MS = 1_000;
/** The age from which on an answer is too old, counted from its question: so that a watch asks in time. */
const STALE_AFTER_MS = CANCELLATION_CHECK_MS - TICK_MS;

/**
 * Which runs are cancelled, looked up in S3 at most once per run and `STALE_AFTER_MS`. A cancelled run stays
 * cancelled. A job whose messages have no run does not: after a purge its name may be used again.
 */
export class Cancellations {
  readonly #lookUp: (of: JobRun) => Promise<boolean>;
  readonly #now: () => number;
  readonly #answers = new Map<string, { cancelled: boolean; askedAt: number }>();
  /** Look-ups in progress. */
  readonly #asking = new Map<string, Promise<void>>();

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

  /**
   * Refreshes each answer within a tick of becoming stale, until disposed of. A timer with the interval of the look-ups would fire
   * a moment before, and again after twice the time.
   */
  watch(runs: readonly JobRun[]): Disposable {
    const timer = setInterval(() => void this.refresh(runs), TICK_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  async #refreshOne(of: JobRun): Promise<void> {
    const name = runName(of);
    const known = this.#answers.get(name);
    const isFinal = known?.cancelled === true && of.run !== undefined;
    if (isFinal || (known !== undefined && this.#now() - known.askedAt < STALE_AFTER_MS)) return;
    const asking = this.#asking.get(name) ?? this.#ask(of).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    await asking;
  }

  async #ask(of: JobRun): Promise<void> {
    const name = runName(of);
    // What happens while S3 answers, or while Lambda has frozen the process, is not in the answer.
    const askedAt = this.#now();
    const cancelled = await this.#lookUp(of).catch(() => this.#answers.get(name)?.cancelled ?? false);
    this.#answers.set(name, { cancelled, askedAt });
  }
}
