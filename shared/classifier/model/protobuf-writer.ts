/** Writes the wire format of protocol buffers: a message is the concatenation of its fields. */

const VARINT = 0;
const BYTES = 2;
const FIXED_32 = 5;

/** An integer field; negative numbers take 64 bits. */
export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

/** A 32-bit field. */
export function floatField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(Float32Array.BYTES_PER_ELEMENT);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(number * 8 + FIXED_32), bytes]);
}

/** A field with a text, bytes, or a message of these parts. */
export function bytesField(number: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const contents = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([varint(number * 8 + BYTES), varint(length), ...contents]);
}

/** A packed field of integers. */
export function varintsField(number: number, values: readonly number[]): Buffer {
  return values.length === 0 ? Buffer.alloc(0) : bytesField(number, ...values.map(varint));
}

const LOW_BITS = 0x7fn;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > LOW_BITS; left >>= 7n) bytes.push(Number(left & LOW_BITS) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}
