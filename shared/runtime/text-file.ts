/** Text files written by users. */

/** A text file is not valid in its encoding. */
export class TextEncodingError extends Error {
  override readonly name = 'TextEncodingError';
}

/**
 * The text of a file: UTF-8, or UTF-16 where a byte order mark says so. The mark is not part of the text.
 *
 * @throws {TextEncodingError} instead of returning replacement characters
 */
export function textOfFile(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TextEncodingError(`expected text in ${encoding.toUpperCase()}: save it as UTF-8`, { cause });
  }
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}
