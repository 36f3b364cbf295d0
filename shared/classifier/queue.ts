/** A FIFO queue with constant-time operations, which `Array.shift` and the first key of a Map are not. */
export class Queue<Item> {
  #items: Item[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#first++;
    if (this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** In order; removes nothing. */
  *[Symbol.iterator](): Generator<Item> {
    for (let index = this.#first; index < this.#items.length; index++) yield this.#items[index] as Item;
  }
}
