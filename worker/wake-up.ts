/** Lets several loops wait for a change. */
export class WakeUp {
  #next = Promise.withResolvers<void>();

  /** Wakes all current waiters. */
  all(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  wait(): Promise<void> {
    return this.#next.promise;
  }
}
