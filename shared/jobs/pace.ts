import { FUNCTION_TIMEOUT_SECONDS } from '../contract/limits.ts';

const WINDOW_SECONDS = 60;
/** A job has stalled when no image was settled for this long: a worker writes its lines within its invocation. */
const STALLED_AFTER_SECONDS = FUNCTION_TIMEOUT_SECONDS;

/** Seconds that are kept before old ones are dropped: few enough for memory, many enough to do it rarely. */
const MAX_REMEMBERED = 10 * WINDOW_SECONDS;

/**
 * The recent rate of settled images, from the times at which part files were written: no state is kept between two status
 * requests.
 */
export class Pace {
  /** Lines by second since 1970. */
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

  /** When the last line was written, in whole seconds; undefined without one. */
  get lastAt(): Date | undefined {
    return this.#last === 0 ? undefined : new Date(this.#last * 1_000);
  }

  /** Over the last minute in which images were settled; 0 when the job has stalled. */
  imagesPerSecond(now: Date): number {
    if (now.getTime() / 1_000 - this.#last > STALLED_AFTER_SECONDS) return 0;
    this.#forgetOld();
    let [first, lines] = [this.#last, 0];
    for (const [second, some] of this.#lines) {
      first = Math.min(first, second);
      lines += some;
    }
    // At least a second: an empty window has no rate.
    return lines / Math.max(1, this.#last - first);
  }

  #forgetOld(): void {
    for (const second of this.#lines.keys()) if (second <= this.#last - WINDOW_SECONDS) this.#lines.delete(second);
  }
}
