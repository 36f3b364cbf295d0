import type { HeldMessage } from './held-message.ts';

/** What one process has of the queue: messages that wait for a core, in their order, and those that are worked on. */
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

  /** Messages whose lease ended while they waited or were worked on. */
  get lost(): number {
    return this.#lost;
  }

  /** One that SQS gives again takes the place of its earlier delivery, whose lease has ended. */
  add(messages: readonly HeldMessage[]): void {
    for (const message of messages) {
      const earlier = this.#waiting.findIndex(({ id }) => id === message.id);
      if (earlier !== -1) this.#lost += this.#waiting.splice(earlier, 1).length;
      this.#waiting.push(message);
    }
  }

  /** Takes up to `most` messages to work on; none whose lease has ended. */
  take(most: number): HeldMessage[] {
    this.dropLost();
    const taken = this.#waiting.splice(0, most);
    for (const message of taken) this.#inWork.add(message);
    return taken;
  }

  /** They were acknowledged, given back, or are left to their visibility timeout: their leases are not renewed any more. */
  release(messages: readonly HeldMessage[]): void {
    for (const message of messages) this.#inWork.delete(message);
  }

  /** Of work that is done: which of its messages may still be acknowledged. */
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
