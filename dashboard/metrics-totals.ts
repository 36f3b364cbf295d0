/**
 * Turns totals into counters. A Prometheus counter never decreases, but a total read from S3 does when a job is purged:
 * Prometheus would treat that as a restart and count the rest as new. Here a decrease adds nothing, and later growth
 * counts again.
 */
export class MonotonicTotals {
  readonly #last = new Map<string, number>();

  /**
   * @param name of the total
   * @param total undefined while unknown
   * @returns what to add to its counter: 0 or more
   */
  growth(name: string, total: number | undefined): number {
    if (total === undefined) return 0;
    const last = this.#last.get(name) ?? 0;
    this.#last.set(name, total);
    return Math.max(0, total - last);
  }
}
