/**
 * Makes counters of totals. A counter of Prometheus never falls, but a total that is read from S3 does when a job is purged:
 * Prometheus would take that for a restart and count all that is left as new. Here a fall adds nothing, and what grows after
 * it counts again.
 */
export class MonotonicTotals {
  readonly #last = new Map<string, number>();

  /**
   * @param name of the total
   * @param total undefined where it is not known now
   * @returns what to add to its counter: 0 or more
   */
  growth(name: string, total: number | undefined): number {
    if (total === undefined) return 0;
    const last = this.#last.get(name) ?? 0;
    this.#last.set(name, total);
    return Math.max(0, total - last);
  }
}
