import { Readable } from 'node:stream';
import { ImageFailure } from '../../contract/error-codes.ts';
import { MAX_IMAGE_BYTES } from '../../contract/limits.ts';

/** As much as a stream buffers anyway. */
const SMALL_BYTES = 64 * 1_024;

/**
 * All bytes of a body, or the failure `too_large`. The body is always closed: a connection whose body is neither read nor closed
 * keeps its descriptor forever.
 *
 * @param announced its length according to the server
 * @param beforeMore awaited before more than 64 kB are held
 */
export async function readBody(
  body: Readable,
  announced?: number,
  beforeMore?: () => Promise<void>,
): Promise<Buffer | ImageFailure> {
  if (announced !== undefined && announced > MAX_IMAGE_BYTES) {
    discardBody(body);
    return tooLarge(`${announced}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream and its connection.
    if (bytes > MAX_IMAGE_BYTES) return tooLarge('more');
    chunks.push(chunk);
    if (bytes > SMALL_BYTES) await beforeMore?.();
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
}

/** Closes the connection rather than read a body of unknown length to its end. */
export function discardBody(body: unknown): void {
  if (!(body instanceof Readable)) return;
  body.on('error', () => {});
  body.destroy();
}

/** The failure of a body that exceeds `MAX_IMAGE_BYTES`. */
export function tooLarge(got: string): ImageFailure {
  return new ImageFailure('too_large', `expected at most ${MAX_IMAGE_BYTES} bytes, got ${got}`);
}
