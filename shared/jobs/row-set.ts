const ROWS_PER_BLOCK = 1 << 16;

/** A set of row numbers, from 0, in a bit per row of the blocks that have any: a list may have hundreds of millions. */
export class RowSet {
  readonly #blocks: (Uint8Array | undefined)[] = [];

  add(row: number): void {
    const block = Math.floor(row / ROWS_PER_BLOCK);
    const bits = this.#blocks[block] ?? new Uint8Array(ROWS_PER_BLOCK / 8);
    this.#blocks[block] = bits;
    const at = row % ROWS_PER_BLOCK;
    bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
  }

  has(row: number): boolean {
    const bits = this.#blocks[Math.floor(row / ROWS_PER_BLOCK)];
    if (bits === undefined) return false;
    const at = row % ROWS_PER_BLOCK;
    return ((bits[at >> 3] as number) & (1 << (at & 7))) !== 0;
  }
}
