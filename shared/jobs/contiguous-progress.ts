import type { PackedMessage } from '../contract/pack-messages.ts';

/**
 * A low-water mark: counts what is certainly on the queue while requests are concurrent. A request counts once it and all
 * earlier ones have succeeded, so the counted images are the first ones of the source.
 */
export class ContiguousProgress {
  images: number;
  messages: number;
  #next = 0;
  /** Requests that succeeded before an earlier one. */
  readonly #ahead = new Map<number, readonly PackedMessage[]>();

  /** Starts with what earlier tries have sent. */
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
