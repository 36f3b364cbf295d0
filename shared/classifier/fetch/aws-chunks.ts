/** `size;chunk-signature=…` in hex, as AWS's clients write it ahead of each chunk. */
const CHUNK_HEADER = /^(?<size>[0-9a-f]{1,8})(?:;[^\r\n]{0,200})?\r\n/i;
/** Longer than any such line. */
const MAX_CHUNK_HEADER_BYTES = 256;
const LINE_END = '\r\n';
/** Four times as many as an image has: AWS's clients send chunks of at least 8 KiB. */
const MAX_CHUNKS = 10_000;

/**
 * What is within the framing of AWS's streaming uploads. Most objects whose Content-Encoding says `aws-chunked` have
 * no such framing: S3 takes it off and keeps the name. Other stores keep both.
 *
 * @returns the bytes as they are when they are not framed from their first byte to the chunk of size 0, and when there
 *   are more chunks than a client would send: each costs memory, and each may hold a single byte
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
