import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { visibleLine, visibleText } from '../../shared/contract/visible-text.ts';
import { seed } from './seed.ts';

describe('characters that move, hide or reverse text are escaped as in JSON:', () => {
  test.each([
    ['\u001b[2J', '\\u001b[2J'],
    ['\u0007', '\\u0007'],
    ['a\rb', 'a\\u000db'],
    ['\u007f', '\\u007f'],
    ['\u009b31m', '\\u009b31m'],
    ['gpj.\u202egnp', 'gpj.\\u202egnp'],
    ['\u2066x\u2069', '\\u2066x\\u2069'],
    ['\u061c', '\\u061c'],
    ['pay\u200bpal', 'pay\\u200bpal'],
    ['\u00ad', '\\u00ad'],
    ['\ufeff', '\\ufeff'],
    ['\u2028', '\\u2028'],
    ['\u{e0041}', '\\udb40\\udc41'],
    ['\u3164', '\\u3164'],
    ['\ud800', '\\ud800'],
  ])('%j', (text, shown) => {
    expect(visibleText(text)).toBe(shown);
    expect(visibleLine(text)).toBe(shown);
  });
});

test.each(['https://example.com/ü.jpg', '猫 🐈 ❤️', 'a "b" \\ c', 'İstanbul, naïve', 'नमस्ते'])(
  '%j stays as it is',
  (text) => {
    expect(visibleText(text)).toBe(text);
    expect(visibleLine(text)).toBe(text);
  },
);

test('line feeds and tabs are kept in a text, but not in a line', () => {
  expect(visibleText('one\n\ttwo\n')).toBe('one\n\ttwo\n');
  expect(visibleLine('one\ttwo')).toBe('one\\u0009two');
  expect(visibleLine('one\ntwo')).toBe('one\\u000atwo');
});

test('for any text, nothing invisible is left, JSON keeps its meaning, and escaping twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = JSON.stringify({ [text]: [text] });
      const shown = visibleText(json);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(shown)).toEqual(JSON.parse(json));
      expect(visibleText(shown)).toBe(shown);
    }),
    { seed },
  );
});
