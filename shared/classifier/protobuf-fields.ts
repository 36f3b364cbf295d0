/**
 * The wire format of protocol buffers, read without a schema: every occurrence of a field is given, also of one that
 * should occur once. A generated reader keeps the last or merges them, as its language has it; who must see all that
 * another reader may see has to look at each.
 */

/** Bytes that are not a protocol buffer. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** A field: a varint's value, or the bytes of a text or a message; fields of fixed width are left out. */
export type ProtobufField = { number: number; value: number } | { number: number; value: Buffer };

const MAX_FIELD_NUMBER = 2 ** 29 - 1;
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;
/** Keys and lengths are 32 bits; what is longer is read differently by different readers. */
const MAX_KEY_BYTES = 5;
const MAX_VARINT_BYTES = 10;

/** @throws {ProtobufError} at the first byte that does not fit */
export function* fieldsOf(bytes: Buffer): Generator<ProtobufField> {
  let at = 0;
  const varint = (maxBytes: number): number => {
    let value = 0;
    for (let read = 0; read < maxBytes; read++) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** (7 * read);
      if (byte < 0x80) return value;
    }
    throw new ProtobufError(`expected a varint of at most ${maxBytes} bytes at byte ${at}`);
  };
  const skip = (length: number): Buffer => {
    if (at + length > bytes.length)
      throw new ProtobufError(`expected ${length} bytes at byte ${at}, the end came first`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint(MAX_KEY_BYTES);
    const number = Math.floor(key / 8);
    if (number === 0 || number > MAX_FIELD_NUMBER) throw new ProtobufError(`expected a field at byte ${at}`);
    const type = key % 8;
    if (type === VARINT) yield { number, value: varint(MAX_VARINT_BYTES) };
    else if (type === BYTES) yield { number, value: skip(varint(MAX_KEY_BYTES)) };
    else if (type === FIXED_64) skip(8);
    else if (type === FIXED_32) skip(4);
    else throw new ProtobufError(`expected a known type of field at byte ${at}, got ${type}`);
  }
}

/** The messages or texts that a message holds under a number. */
export function bytesOf(message: Buffer, number: number): Buffer[] {
  const found: Buffer[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === number && typeof field.value !== 'number') found.push(field.value);
  }
  return found;
}

/** The texts that a message holds under a number. */
export function textsOf(message: Buffer, number: number): string[] {
  return bytesOf(message, number).map((bytes) => bytes.toString('utf8'));
}
