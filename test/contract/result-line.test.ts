import { expect, test } from '@jest/globals';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { classifiedLine, failureLine, type LineOrigin, resultLine } from '../../shared/contract/result-line.ts';

const origin: LineOrigin = {
  job: 'cats',
  image: { id: 'row-17', url: 'https://host.example/a.jpg', meta: { sku: 'X1' } },
  attempt: 2,
  at: new Date('2026-11-24T10:00:00.123Z'),
};
const labels = [{ label: 'cat', score: 0.9, classId: 285 }];
const facts = { width: 351, height: 300, format: 'jpeg', bytes: 27_924, sha256: 'ab'.repeat(32) };

test('a result line is as the documentation has it, field by field', () => {
  expect(JSON.stringify(resultLine(origin, labels, { name: 'net', version: '1' }, facts))).toBe(
    '{"v":1,"job":"cats","id":"row-17","url":"https://host.example/a.jpg","meta":{"sku":"X1"},' +
      '"labels":[{"label":"cat","score":0.9,"classId":285}],"model":{"name":"net","version":"1"},' +
      `"image":{"width":351,"height":300,"format":"jpeg","bytes":27924,"sha256":"${'ab'.repeat(32)}"},` +
      '"attempt":2,"at":"2026-11-24T10:00:00.123Z"}',
  );
});

test('a failure line is as the documentation has it, field by field', () => {
  const error = new ImageFailure('not_found', 'expected status 200, got 404').report();
  expect(JSON.stringify(failureLine(origin, error))).toBe(
    '{"v":1,"job":"cats","id":"row-17","url":"https://host.example/a.jpg","meta":{"sku":"X1"},' +
      '"error":{"code":"not_found","stage":"fetch","message":"expected status 200, got 404","retryable":false},' +
      '"attempt":2,"at":"2026-11-24T10:00:00.123Z"}',
  );
});

test('an image without meta has none in its line', () => {
  const plain = { ...origin, image: { id: 'a', url: 'https://host.example/a.jpg' } };
  expect(resultLine(plain, labels, { name: 'net', version: '1' }, facts)).not.toHaveProperty('meta');
});

test('the embedding is before the attempt, and lines without one have not changed', () => {
  const found = { labels, image: facts };
  const model = { name: 'net', version: '1' };
  const embedding = { embedding: 'ADw=', trunk: '0123456789abcdef' };
  expect(JSON.stringify(classifiedLine(origin, { ...found, embedding }, model))).toContain(
    '"},"embedding":"ADw=","trunk":"0123456789abcdef","attempt":2,',
  );
  expect(JSON.stringify(classifiedLine(origin, found, model))).toBe(
    JSON.stringify(resultLine(origin, labels, model, facts)),
  );
});
