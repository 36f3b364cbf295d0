/** The file ends earlier than its header states; thrown by `ByteReader`. */
export class FileEnds extends Error {}

/** Reads unsigned integers of a file that may end anywhere. */
export class ByteReader {
  readonly bytes: Buffer;
  readonly littleEndian: boolean;

  constructor(bytes: Buffer, littleEndian: boolean) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
  }

  /**
   * @param size in bytes; 8-byte values beyond 2^53 are rounded
   * @throws {FileEnds}
   */
  uint(at: number, size: 1 | 2 | 4 | 8): number {
    this.need(at, size);
    if (size === 8) {
      return Number(this.littleEndian ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at));
    }
    return this.littleEndian ? this.bytes.readUIntLE(at, size) : this.bytes.readUIntBE(at, size);
  }

  /** @throws {FileEnds} */
  text(at: number, length: number): string {
    this.need(at, length);
    return this.bytes.toString('latin1', at, at + length);
  }

  /** @throws {FileEnds} when the file has no such bytes */
  need(at: number, length: number): void {
    if (at + length > this.bytes.length) throw new FileEnds();
  }
}
