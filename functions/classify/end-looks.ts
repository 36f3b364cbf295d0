import type { JobRun } from '../../shared/contract/job-run.ts';
import { CLOCK_SKEW_MS, END_LOOK_DELAY_SECONDS, END_LOOK_WINDOW_MS } from '../../shared/contract/limits.ts';
import {
  type EndLookQueue,
  endLookWindow,
  isPermanentRefusal,
  type NamedRun,
  requestEndLook,
} from '../../shared/jobs/end-look.ts';

/** Where and how looks are requested. */
export type EndLooksOptions = EndLookQueue & {
  /** The delay of the queue. */
  delaySeconds?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Called with the reason when a look cannot be requested; the work continues without it. */
  onRefused: (error: unknown) => void;
};

/** Maximum number of runs whose last request is remembered. */
const MAX_REMEMBERED = 1_000;

type Request = { window: number; sent: Promise<void> };

/**
 * Ensures that the end of a run is looked for after everything this worker writes of it, even if the worker crashes right
 * after: the look is requested before the write. It costs a worker one request per run and window, however much it writes.
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
   * Writes lines of a run, or does anything else that may be its last event.
   *
   * @throws what `write` throws, or a transient error of SQS: the message must be redelivered then
   */
  async around<Result>(of: JobRun, write: () => Promise<Result>): Promise<Result> {
    const { job, run } = of;
    // The number of images of a job without a run is unknown.
    if (run === undefined) return write();
    const coveredUntil = await this.#request({ job, run });
    const result = await write();
    // Another worker may have requested this look at the very start of its window.
    if (this.#now() >= coveredUntil) await this.#request({ job, run });
    return result;
  }

  /** @returns until when a write is certain to precede the look */
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
      if (!isPermanentRefusal(error)) throw error;
      this.#onRefused(error);
    }
  }
}
