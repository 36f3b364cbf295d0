import { describe, expect, test } from '@jest/globals';
import { MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import { describeError, redactUrls } from '../../shared/contract/redact.ts';
import { cpuMsOf } from '../support/cpu-time.ts';

describe('keeps the parts of a URL that are not secret:', () => {
  test.each([
    ['https://host/a.jpg?X-Amz-Signature=SECRET', 'https://host/a.jpg'],
    ['https://host/a.jpg#SECRET', 'https://host/a.jpg'],
    ['https://host?SECRET#SECRET', 'https://host'],
    ['http://user:SECRET@host/a.jpg', 'http://host/a.jpg'],
    ['http://SECRET@host', 'http://host'],
    ['http://user:SEC@RET@host/', 'http://host/'],
    ['no "https://host/a.jpg?SECRET", and no <https://h/b#SECRET>', 'no "https://host/a.jpg", and no <https://h/b>'],
    ['first https://h/?SECRET then s3://b/k?SECRET', 'first https://h/ then s3://b/k'],
    ['expected #3, got 4', 'expected #3, got 4'],
    ['nothing of a URL', 'nothing of a URL'],
  ])('%s', (text, safe) => expect(redactUrls(text)).toBe(safe));

  test.each(['#', '?', '@', '://', '://#', 'a', '://a@'])(
    'in no time, though it is long and of nothing but %s',
    async (piece) => {
      expect(await cpuMsOf(() => redactUrls(piece.repeat(20 * MAX_URL_CHARS)))).toBeLessThan(500);
    },
  );
});

describe('describes thrown values in words:', () => {
  test.each<[unknown, string]>([
    [new TypeError('a defect'), 'TypeError: a defect'],
    [new Error('at https://host/?SECRET'), 'Error: at https://host/'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [{ a: 1 }, '[object Object]'],
    [Object.create(null), 'an object that has no text'],
  ])('%p', (thrown, text) => expect(describeError(thrown)).toBe(text));
});
