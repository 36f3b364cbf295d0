/** The wire format of protocol buffers, written: a message is the bytes of its fields, one after the other. */

const VARINT = 0;
const BYTES = 2;
const FIXED_32 = 5;

/** A field that holds a whole number; a negative one as 64 bits. */
export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

/** A field that holds a number of 32 bits. */
export function floatField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(Float32Array.BYTES_PER_ELEMENT);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(number * 8 + FIXED_32), bytes]);
}

/** A field that holds a text, or bytes, or a message of these parts. */
export function bytesField(number: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const contents = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([varint(number * 8 + BYTES), varint(length), ...contents]);
}

/** A field that holds whole numbers. */
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
