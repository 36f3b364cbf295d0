/**
 * Reads and changes the wire format of protocol buffers without a schema: it yields every occurrence of a field, even of one that
 * should occur once. Generated readers keep the last or merge them, depending on the language; a check must see everything that
 * any reader may see.
 */

import { bytesField } from './protobuf-writer.ts';

/** The bytes are not a protocol buffer. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** A field: the value of a varint, or the bytes of a text or a message; fields of fixed width are skipped. */
export type ProtobufField = { number: number; value: number } | { number: number; value: Buffer };

const MAX_FIELD_NUMBER = 2 ** 29 - 1;
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;
/** Keys and lengths have 32 bits; readers differ on longer ones. */
const MAX_KEY_BYTES = 5;
const MAX_VARINT_BYTES = 10;
/** Maximum number of fields per message: a field may take two bytes in the file and a hundred in memory. No list of a model is so long. */
const MAX_FIELDS = 1_000_000;

/** @throws {ProtobufError} at the first invalid byte */
export function fieldsOf(message: Buffer): ProtobufField[] {
  const found: ProtobufField[] = [];
  eachField(message, {
    varint: (number, value) => found.push({ number, value }),
    bytes: (number, start, end) => found.push({ number, value: message.subarray(start, end) }),
  });
  return found;
}

/** The messages or texts in the fields of a number. */
export function bytesOf(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  eachField(message, {
    varint: () => {},
    bytes(number, start, end) {
      if (number === wanted) found.push(message.subarray(start, end));
    },
  });
  return found;
}

/** The texts in the fields of a number. */
export function textsOf(message: Buffer, number: number): string[] {
  return bytesOf(message, number).map((bytes) => bytes.toString('utf8'));
}

/**
 * Replaces the content of the fields of a number; all other bytes stay unchanged.
 *
 * @param change returns the new bytes of each such field
 */
export function withBytes(message: Buffer, wanted: number, change: (bytes: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [];
  let copied = 0;
  eachField(message, {
    varint: () => {},
    bytes(number, start, end, from) {
      if (number !== wanted) return;
      parts.push(message.subarray(copied, from), bytesField(number, change(message.subarray(start, end))));
      copied = end;
    },
  });
  return Buffer.concat([...parts, message.subarray(copied)]);
}

type Visitor = {
  varint(number: number, value: number): void;
  /** @param from the offset of the field with its key */
  bytes(number: number, start: number, end: number, from: number): void;
};

/** Does not create a view per field: a large graph has a million fields, and few of them matter. */
function eachField(message: Buffer, visit: Visitor): void {
  const cursor = { message, at: 0 };
  for (let fields = 0; cursor.at < message.length; fields++) {
    if (fields === MAX_FIELDS) throw new ProtobufError(`expected at most ${MAX_FIELDS} fields in a message`);
    const from = cursor.at;
    const key = readVarint(cursor, MAX_KEY_BYTES);
    const number = Math.floor(key / 8);
    if (number === 0 || number > MAX_FIELD_NUMBER) throw new ProtobufError(`expected a field at byte ${cursor.at}`);
    const type = key % 8;
    if (type === VARINT) visit.varint(number, readVarint(cursor, MAX_VARINT_BYTES));
    else {
      const length = lengthOf(type, cursor);
      const start = cursor.at;
      cursor.at += length;
      if (cursor.at > message.length)
        throw new ProtobufError(`expected ${length} bytes at byte ${start}, the end came first`);
      if (type === BYTES) visit.bytes(number, start, cursor.at, from);
    }
  }
}

type Cursor = { message: Buffer; at: number };

function lengthOf(type: number, cursor: Cursor): number {
  if (type === BYTES) return readVarint(cursor, MAX_KEY_BYTES);
  if (type === FIXED_64) return 8;
  if (type === FIXED_32) return 4;
  throw new ProtobufError(`expected a known type of field at byte ${cursor.at}, got ${type}`);
}

function readVarint(cursor: Cursor, maxBytes: number): number {
  let value = 0;
  let factor = 1;
  for (let read = 0; read < maxBytes; read++) {
    const byte = cursor.message[cursor.at++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 128;
  }
  throw new ProtobufError(`expected a varint of at most ${maxBytes} bytes at byte ${cursor.at}`);
}
