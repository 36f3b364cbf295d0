import { MAX_MESSAGE_BYTES } from './limits.ts';

/**
 * JSON that SQS accepts. SQS itself accepts U+10000 to U+10FFFF; the embedded SQS and others do not, so these are escaped too,
 * unless the body would then exceed 1 MiB: what arrived in a message must fit into a message again.
 */
export function sqsJson(value: unknown): string {
  const json = JSON.stringify(value);
  const escaped = json.replaceAll(REFUSED_BY_SOME, escapeOf);
  return Buffer.byteLength(escaped) <= MAX_MESSAGE_BYTES ? escaped : json.replaceAll(REFUSED_BY_ALL, escapeOf);
}

/** Bytes of a value's JSON in a message: with all escapes, and with only those that every SQS needs. */
export function bytesInMessage(value: unknown): { escaped: number; shortest: number } {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes === json.length) return { escaped: bytes, shortest: bytes };
  const count = (characters: RegExp) => json.match(characters)?.length ?? 0;
  const shortest = bytes + count(REFUSED_BY_ALL) * (ESCAPE_BYTES - NONCHARACTER_BYTES);
  return { escaped: shortest + count(SURROGATE) * (ESCAPE_BYTES - SURROGATE_BYTES), shortest };
}

const REFUSED_BY_ALL = /[\uFFFE\uFFFF]/g;
/** Surrogate pairs; `JSON.stringify` has escaped lone surrogates. */
const SURROGATE = /[\uD800-\uDFFF]/g;
const REFUSED_BY_SOME = /[\uD800-\uDFFF\uFFFE\uFFFF]/g;

const ESCAPE_BYTES = '\\uffff'.length;
/** In UTF-8. */
const NONCHARACTER_BYTES = 3;
const SURROGATE_BYTES = 2;

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16)}`;
}
