import type { PackedMessage } from '../contract/pack-messages.ts';

/**
 * Counts what is on the queue for certain while several requests are under way: a request counts once
 * it and all before it have succeeded, so that the images that count are the first ones of the source.
 */
export class ContiguousProgress {
  images: number;
  messages: number;
  #next = 0;
  /** Requests that overtook an earlier one. */
  readonly #ahead = new Map<number, readonly PackedMessage[]>();

  /** @param images and @param messages sent in earlier tries */
  constructor(images: number, messages: number) {
    this.images = images;
    this.messages = messages;
  }

  /** @param request its number in the order of the source, from 0 */
  sent(request: number, messages: readonly PackedMessage[]): void {
    this.#ahead.set(request, messages);
    for (let done = this.#ahead.get(this.#next); done !== undefined; done = this.#ahead.get(this.#next)) {
      this.#ahead.delete(this.#next++);
      this.messages += done.length;
      for (const { images } of done) this.images += images;
    }
  }
}
