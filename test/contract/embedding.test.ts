import { describe, expect, test } from '@jest/globals';
import {
  decodeEmbedding,
  decodeEmbeddingInto,
  embeddingLength,
  encodeEmbedding,
} from '../../shared/contract/embedding.ts';
import { MAX_EMBEDDING_VALUES } from '../../shared/contract/limits.ts';

const halves = (...values: number[]) => Buffer.from(new Float16Array(values).buffer).toString('base64');

test('numbers are decoded with the precision of float16', () => {
  const values = Float32Array.from({ length: 1_280 }, (_, at) => Math.sin(at) * 6);
  const text = encodeEmbedding(values);
  expect(text).toHaveLength(3_416);
  const decoded = decodeEmbedding(text) ?? [];
  expect(decoded).toHaveLength(1_280);
  for (const [at, value] of decoded.entries()) expect(value).toBeCloseTo(values[at] as number, 2);
});

test('the bytes are little-endian float16, as other languages read them', () => {
  expect(Buffer.from(encodeEmbedding(Float32Array.of(1, -2, 0.5)), 'base64').toString('hex')).toBe('003c00c00038');
});

test('numbers beyond the range of float16 become its largest number', () => {
  expect([...(decodeEmbedding(encodeEmbedding(Float32Array.of(1e9, -1e9, 7))) ?? [])]).toEqual([65_504, -65_504, 7]);
});

test('embeddings up to the maximum length are read, and no longer ones', () => {
  const most = encodeEmbedding(new Float32Array(MAX_EMBEDDING_VALUES));
  expect(decodeEmbedding(most)).toHaveLength(MAX_EMBEDDING_VALUES);
  expect(decodeEmbedding(encodeEmbedding(new Float32Array(MAX_EMBEDDING_VALUES + 2)))).toBeUndefined();
});

describe('text that is not an embedding is refused', () => {
  test.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', [1, 2]],
    ['an object with a length', { length: 4 }],
    ['empty', ''],
    ['half a number', Buffer.of(1).toString('base64')],
    ['cut off', halves(1, 2, 3).slice(0, -1)],
    ['not base64', '!!!!!!!!'],
    ['base64 for URLs', '__-_'],
    ['white space in it', 'AAAA\nAAA'],
    ['padding in the middle', 'AA==AAAA'],
    ['a NUL', 'AA\u0000A'],
    ['infinite', halves(1, Number.POSITIVE_INFINITY)],
    ['not a number', halves(1, Number.NaN)],
    ['a gigabyte that is never decoded', 'A'.repeat(2 ** 28)],
  ])('%s', (_case, text) => {
    expect(decodeEmbedding(text)).toBeUndefined();
  });
});

test('numbers are decoded into a part of a larger array, and the rest of it does not change', () => {
  const into = new Float32Array(4).fill(9);
  const text = halves(1, 2);
  expect(embeddingLength(text)).toBe(2);
  expect(decodeEmbeddingInto(text, into, 1)).toBe(true);
  expect([...into]).toEqual([9, 1, 2, 9]);
});
