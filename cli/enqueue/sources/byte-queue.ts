/**
 * The bytes of a stream, taken in whatever lengths the reader needs. Fewer bytes than requested mean that the stream
 * has ended.
 */
export class ByteQueue {
  readonly #chunks: AsyncIterator<Buffer>;
  #ready: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Buffer>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** The next available bytes; undefined at the end. */
  async chunk(): Promise<Buffer | undefined> {
    if (this.#ready.length === 0 && !(await this.#readMore())) return undefined;
    return this.#replaceReady(Buffer.alloc(0));
  }

  /** All remaining bytes. */
  async *chunks(): AsyncGenerator<Buffer> {
    try {
      for (let chunk = await this.chunk(); chunk !== undefined; chunk = await this.chunk()) yield chunk;
    } finally {
      await this.close();
    }
  }

  /** Closes the stream and drops the remaining bytes. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  putBack(bytes: Buffer): void {
    this.#ready = this.#ready.length === 0 ? bytes : Buffer.concat([bytes, this.#ready]);
  }

  async peek(length: number): Promise<Buffer> {
    while (this.#ready.length < length && (await this.#readMore()));
    return this.#ready.subarray(0, length);
  }

  async take(length: number): Promise<Buffer> {
    const taken = await this.peek(length);
    this.#ready = this.#ready.subarray(taken.length);
    return taken;
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const { length: skipped } = await this.take(Math.min(left, 64 * 1024));
      if (skipped === 0) return;
      left -= skipped;
    }
  }

  async skipThroughZero(): Promise<void> {
    for (;;) {
      const chunk = await this.chunk();
      if (chunk === undefined) return;
      const zero = chunk.indexOf(0);
      if (zero === -1) continue;
      this.putBack(chunk.subarray(zero + 1));
      return;
    }
  }

  async #readMore(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#ready = this.#ready.length === 0 ? value : Buffer.concat([this.#ready, value]);
    return true;
  }

  #replaceReady(next: Buffer): Buffer {
    const ready = this.#ready;
    this.#ready = next;
    return ready;
  }
}
