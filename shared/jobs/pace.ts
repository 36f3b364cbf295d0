import { FUNCTION_TIMEOUT_SECONDS } from '../contract/limits.ts';

const WINDOW_SECONDS = 60;
/** A job has stopped moving when no image was settled for so long: a worker that has some writes within its invocation. */
const STOPPED_AFTER_SECONDS = FUNCTION_TIMEOUT_SECONDS;

/** Seconds that are remembered before old ones are forgotten: few enough for memory, and so many that it is seldom. */
const MAX_REMEMBERED = 10 * WINDOW_SECONDS;

/**
 * How fast images were settled last, from the times at which part files were written: no state has to be kept between
 * two looks at a job.
 */
export class Pace {
  /** By second, since 1970. */
  readonly #lines = new Map<number, number>();
  #last = 0;

  /** In any order. */
  add({ lines, writtenAt }: { lines: number; writtenAt: Date }): void {
    // S3 has whole seconds.
    const second = Math.floor(writtenAt.getTime() / 1_000);
    this.#last = Math.max(this.#last, second);
    if (second <= this.#last - WINDOW_SECONDS) return;
    this.#lines.set(second, (this.#lines.get(second) ?? 0) + lines);
    if (this.#lines.size > MAX_REMEMBERED) this.#forgetOld();
  }

  /** When images were settled last, in whole seconds; 1970 when none were. */
  get lastAt(): Date {
    return new Date(this.#last * 1_000);
  }

  /** In the last minute in which images were settled; 0 when the job has stopped moving. */
  imagesPerSecond(now: Date): number {
    if (now.getTime() / 1_000 - this.#last > STOPPED_AFTER_SECONDS) return 0;
    this.#forgetOld();
    let [first, lines] = [this.#last, 0];
    for (const [second, some] of this.#lines) {
      first = Math.min(first, second);
      lines += some;
    }
    // A window of no length has no rate.
    return lines / Math.max(1, this.#last - first);
  }

  #forgetOld(): void {
    for (const second of this.#lines.keys()) if (second <= this.#last - WINDOW_SECONDS) this.#lines.delete(second);
  }
}
