/** `size;chunk-signature=…` in hex, as AWS clients write it before each chunk. */
const CHUNK_HEADER = /^(?<size>[0-9a-f]{1,8})(?:;[^\r\n]{0,200})?\r\n/i;
/** Longer than any such line. */
const MAX_CHUNK_HEADER_BYTES = 256;
const LINE_END = '\r\n';
/** Four times as many as an image can have: AWS clients send chunks of at least 8 KiB. */
const MAX_CHUNKS = 10_000;

/**
 * Removes the framing of AWS's streaming uploads. Most objects whose Content-Encoding is `aws-chunked` are not framed: S3 removes
 * the framing and keeps the name. Other stores keep both.
 *
 * @returns the bytes unchanged if they are not framed from the first byte to the chunk of size 0, or if there are more chunks
 *   than a client would send: each costs memory, and may hold a single byte
 */
export function withoutAwsChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let at = 0;
  while (chunks.length <= MAX_CHUNKS) {
    const header = CHUNK_HEADER.exec(bytes.toString('latin1', at, at + MAX_CHUNK_HEADER_BYTES));
    if (header === null) return bytes;
    const size = Number.parseInt(header.groups?.['size'] as string, 16);
    // Checksums and signatures may follow the last chunk.
    if (size === 0) return Buffer.concat(chunks);
    const start = at + header[0].length;
    const end = start + size;
    if (bytes.toString('latin1', end, end + LINE_END.length) !== LINE_END) return bytes;
    chunks.push(bytes.subarray(start, end));
    at = end + LINE_END.length;
  }
  return bytes;
}
