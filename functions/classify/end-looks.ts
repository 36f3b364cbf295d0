import type { JobRun } from '../../shared/contract/job-run.ts';
import { CLOCK_SKEW_MS, END_LOOK_DELAY_SECONDS, END_LOOK_WINDOW_MS } from '../../shared/contract/limits.ts';
import {
  type EndLookQueue,
  endLookWindow,
  isRefusedForGood,
  type NamedRun,
  requestEndLook,
} from '../../shared/jobs/end-look.ts';

export type EndLooksOptions = EndLookQueue & {
  /** Of the queue. */
  delaySeconds?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Given why no look can be asked for: the work goes on without. */
  onRefused: (error: unknown) => void;
};

/** Runs whose last request is remembered, at most. */
const MAX_REMEMBERED = 1_000;

type Request = { window: number; sent: Promise<void> };

/**
 * Sees to it that the end of a run is looked for after whatever this worker writes of it, even if the worker dies just
 * then: the look is asked for before. It costs a worker one request per run and window, however much it writes.
 */
export class EndLooks {
  readonly #queue: EndLookQueue;
  readonly #windowMs: number;
  readonly #delayMs: number;
  readonly #now: () => number;
  readonly #onRefused: (error: unknown) => void;
  readonly #requests = new Map<string, Request>();

  constructor({
    windowMs = END_LOOK_WINDOW_MS,
    delaySeconds = END_LOOK_DELAY_SECONDS,
    now = Date.now,
    onRefused,
    ...queue
  }: EndLooksOptions) {
    this.#queue = { ...queue, windowMs };
    this.#windowMs = windowMs;
    this.#delayMs = delaySeconds * 1_000;
    this.#now = now;
    this.#onRefused = onRefused;
  }

  /**
   * Writes lines of a run, or does whatever else may be the last that happens to it.
   *
   * @throws what `write` throws, or SQS when it fails for now: the message must come back then
   */
  async around<Result>(of: JobRun, write: () => Promise<Result>): Promise<Result> {
    const { job, run } = of;
    // Nobody knows how many images a job without a run has.
    if (run === undefined) return write();
    const coveredUntil = await this.#request({ job, run });
    const result = await write();
    // Others may have asked for this look at the very start of its window.
    if (this.#now() >= coveredUntil) await this.#request({ job, run });
    return result;
  }

  /** @returns until when a write is certain to come before the look */
  async #request(of: NamedRun): Promise<number> {
    const now = this.#now();
    const window = endLookWindow(now, this.#windowMs);
    await this.#inWindow(of, window, now);
    return window * this.#windowMs + this.#delayMs - CLOCK_SKEW_MS;
  }

  async #inWindow(of: NamedRun, window: number, now: number): Promise<void> {
    const last = this.#requests.get(of.run);
    if (last?.window === window) return last.sent;
    if (this.#requests.size >= MAX_REMEMBERED) this.#requests.clear();
    const sent = this.#send(of, now);
    this.#requests.set(of.run, { window, sent });
    await sent.catch((error: unknown) => {
      this.#requests.delete(of.run);
      throw error;
    });
  }

  async #send(of: NamedRun, now: number): Promise<void> {
    try {
      await requestEndLook(this.#queue, of, now);
    } catch (error) {
      if (!isRefusedForGood(error)) throw error;
      this.#onRefused(error);
    }
  }
}
