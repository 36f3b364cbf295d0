import { CANCELLATION_CHECK_MS } from '../../shared/contract/limits.ts';

/**
 * Which jobs were cancelled, asked for in S3 as seldom as possible: once a job and ten seconds. A
 * cancelled job stays so.
 */
export class Cancellations {
  readonly #ask: (job: string) => Promise<boolean>;
  readonly #now: () => number;
  readonly #answers = new Map<string, { cancelled: boolean; askedAt: number }>();

  /** @param ask whether a job is cancelled; when it fails, the job counts as it did before */
  constructor(ask: (job: string) => Promise<boolean>, now: () => number = Date.now) {
    this.#ask = ask;
    this.#now = now;
  }

  /** As it was when it was last asked for. */
  isCancelled(job: string): boolean {
    return this.#answers.get(job)?.cancelled ?? false;
  }

  /** Asks for the jobs whose answers have grown old. */
  async refresh(jobs: Iterable<string>): Promise<void> {
    await Promise.all(Array.from(new Set(jobs), (job) => this.#refreshOne(job)));
  }

  /** Asks again and again while an invocation lasts. */
  watch(jobs: readonly string[]): Disposable {
    const timer = setInterval(() => void this.refresh(jobs), CANCELLATION_CHECK_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  async #refreshOne(job: string): Promise<void> {
    const known = this.#answers.get(job);
    if (known?.cancelled || (known !== undefined && this.#now() - known.askedAt < CANCELLATION_CHECK_MS)) return;
    const cancelled = await this.#ask(job).catch(() => false);
    this.#answers.set(job, { cancelled, askedAt: this.#now() });
  }
}
