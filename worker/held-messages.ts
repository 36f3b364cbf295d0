import type { HeldMessage } from './held-message.ts';

/** The messages that a process holds: waiting ones, in order, and those in progress. */
export class HeldMessages {
  #waiting: HeldMessage[] = [];
  readonly #inWork = new Set<HeldMessage>();
  #lost = 0;

  get waiting(): number {
    return this.#waiting.length;
  }

  get inWork(): number {
    return this.#inWork.size;
  }

  /** Messages whose lease ended while they were waiting or in progress. */
  get lost(): number {
    return this.#lost;
  }

  /** A redelivered message replaces its earlier delivery, whose lease has ended. */
  add(messages: readonly HeldMessage[]): void {
    for (const message of messages) {
      const earlier = this.#waiting.findIndex(({ id }) => id === message.id);
      if (earlier !== -1) this.#lost += this.#waiting.splice(earlier, 1).length;
      this.#waiting.push(message);
    }
  }

  /** Takes up to `most` messages for processing; none whose lease has ended. */
  take(most: number): HeldMessage[] {
    this.dropLost();
    const taken = this.#waiting.splice(0, most);
    for (const message of taken) this.#inWork.add(message);
    return taken;
  }

  /** Removes messages that were acknowledged, given back, or left to their visibility timeout: their leases are no longer renewed. */
  release(messages: readonly HeldMessage[]): void {
    for (const message of messages) this.#inWork.delete(message);
  }

  /** The processed messages that may still be acknowledged. */
  owned(messages: readonly HeldMessage[]): HeldMessage[] {
    const owned = messages.filter(({ isOwned }) => isOwned);
    this.#lost += messages.length - owned.length;
    return owned;
  }

  dropLost(): void {
    const owned = this.#waiting.filter(({ isOwned }) => isOwned);
    this.#lost += this.#waiting.length - owned.length;
    this.#waiting = owned;
  }

  all(): HeldMessage[] {
    return [...this.#waiting, ...this.#inWork];
  }
}
