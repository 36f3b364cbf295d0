/** Lets several loops wait until something has changed. */
export class WakeUp {
  #next = Promise.withResolvers<void>();

  /** Wakes all that wait now. */
  all(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  wait(): Promise<void> {
    return this.#next.promise;
  }
}
