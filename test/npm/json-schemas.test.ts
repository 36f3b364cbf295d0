import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { jsonSchemas } from '../../npm/build/json-schemas.ts';
import { encodeEmbedding } from '../../shared/contract/embedding.ts';
import { failureLineSchema, resultLineSchema } from '../../shared/contract/line-schemas.ts';
import { formatDeadLetter, formatMessage, messageSchema } from '../../shared/contract/message.ts';
import { failure, result } from '../../testkit/job-outcomes.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');

const ajv = new Ajv2020({ strict: true });
addFormats.default(ajv);
const schemas = new Map([...jsonSchemas()].map(([name, schema]) => [name, ajv.compile(schema)]));
const zods = { message: messageSchema, 'result-line': resultLineSchema, 'failure-line': failureLineSchema };

/** Whether the JSON Schema and the schema of zod take a document: they have to agree. */
function takes(name: keyof typeof zods, document: unknown): boolean {
  const byZod = zods[name].safeParse(document).success;
  expect({ name, bySchema: schemas.get(name)?.(document) }).toEqual({ name, bySchema: byZod });
  return byZod;
}

const linesOf = (name: string) =>
  readFileSync(join(SAMPLES, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test.each([
  ['result-line', 'results.jsonl'],
  ['failure-line', 'failures.jsonl'],
] as const)('the schema of a %s takes those of samples/%s', (name, file) => {
  const lines = linesOf(file);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(takes(name, line)).toBe(true);
});

test('lines with everything that they may have fit, and lines of later versions with more', () => {
  const full = { ...result('one', { cat: 1 }, { meta: { price: [1, null] } }), run: '0123456789abcdef' };
  const embedding = encodeEmbedding(Float32Array.of(1, 2));
  expect(takes('result-line', { ...full, embedding, trunk: '0'.repeat(16), addedLater: 1 })).toBe(true);
  expect(takes('failure-line', { ...failure('one', 'timeout'), addedLater: 1 })).toBe(true);
});

test.each([
  ['another version', { v: 2 }],
  ['no labels', { labels: undefined }],
  ['a score above 1', { labels: [{ label: 'cat', score: 1.5, classId: 0 }] }],
  ['meta that is text', { meta: 'text' }],
  ['a time that is not one', { at: 'yesterday' }],
])('a result line with %s does not fit', (_what, change) => {
  expect(takes('result-line', JSON.parse(JSON.stringify({ ...result('one'), ...change })))).toBe(false);
});

test('a failure with an unknown code does not fit', () => {
  const line = failure('one');
  expect(takes('failure-line', { ...line, error: { ...line.error, code: 'no_such_code' } })).toBe(false);
});

test('messages fit as they are sent, and with properties that no version knows they do not', () => {
  const images = [{ id: 'a', url: 'https://host.example/a.jpg', meta: { price: 1 } }];
  const body = JSON.parse(formatMessage({ job: 'cats', run: '0123456789abcdef', attempt: 1, images }));
  expect(takes('message', body)).toBe(true);
  const error = { code: 'not_found', stage: 'fetch', message: 'expected status 200', attempts: 5 };
  expect(takes('message', JSON.parse(formatDeadLetter({ job: 'cats' }, images[0] as (typeof images)[0], error)))).toBe(
    true,
  );
  expect(takes('message', { ...body, addedLater: 1 })).toBe(false);
  expect(takes('message', { ...body, images: [] })).toBe(false);
});
