import { expect, test } from '@jest/globals';
import { embeddedLine, linesIn } from '../../../cli/embeddings/embedded-lines.ts';
import { result } from '../../../testkit/job-outcomes.ts';

const EMBEDDED = { embedding: 'ADwAQA==', trunk: '0123456789abcdef' };

test.each<[string, object]>([
  ['as the worker writes it', { ...result('a'), ...EMBEDDED }],
  ['with its fields in another order', { ...EMBEDDED, ...result('a') }],
  [
    'with fields of the same name in meta',
    { ...result('a', {}, { meta: { embedding: 'x', trunk: 'y' } }), ...EMBEDDED },
  ],
  ['with the field in a text', { ...result('"embedding":"AA=='), ...EMBEDDED }],
])('a line with an embedding is read completely: %s', (_case, line) => {
  expect(embeddedLine(JSON.stringify(line))).toEqual(line);
});

test('numbers of meta keep their digits', () => {
  const text = `{"id":"a","url":"u","meta":{"n":1.10},"embedding":"${EMBEDDED.embedding}","trunk":"${EMBEDDED.trunk}"}`;
  expect(JSON.stringify(embeddedLine(text))).toBe(text);
});

test.each<[string, string]>([
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '7'],
  ['a text', '"text"'],
  ['a list', '[1]'],
  ['a line that is cut off in its embedding', '{"embedding":"ADw='],
  ['a line that is cut off before its embedding', '{"embedding":"'],
  ['a line without one', JSON.stringify(result('a'))],
  ['a line with one in meta alone', JSON.stringify({ ...result('a', {}, { meta: EMBEDDED }) })],
  ['a quote in it', JSON.stringify({ ...result('a'), ...EMBEDDED, embedding: 'AD"w' })],
  ['an object in its place', JSON.stringify({ ...result('a'), ...EMBEDDED, embedding: { length: 8 } })],
  ['another text than a trunk', JSON.stringify({ ...result('a'), ...EMBEDDED, trunk: 'x' })],
  ['a number as id', JSON.stringify({ ...result('a'), ...EMBEDDED, id: 7 })],
  ['an id of 10,000 characters', JSON.stringify({ ...result('a'.repeat(10_000)), ...EMBEDDED })],
])('is not a line with an embedding: %s', (_case, text) => {
  expect(embeddedLine(text)).toBeUndefined();
});

test('lines end only at line feeds, and the last line may lack one', () => {
  expect(linesIn(Buffer.from('a\u2028b\nc'))).toEqual(['a\u2028b', 'c']);
  expect(linesIn(Buffer.from('a\n'))).toEqual(['a']);
  expect(linesIn(Buffer.alloc(0))).toEqual([]);
});
