import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { issuesText } from '../../shared/contract/schema-issues.ts';

const schema = z.strictObject({
  id: z.string().min(2).max(4).optional(),
  top: z.coerce.number().int().min(1).max(20).optional(),
  images: z.array(z.string()).min(1).max(2).optional(),
  kind: z.enum(['a', 'b']).optional(),
  named: z.string().min(3, 'expected a name').optional(),
});

test.each([
  [{ id: 'a' }, 'id: expected at least 2 characters, got 1'],
  [{ id: 'abcde' }, 'id: expected at most 4 characters, got 5'],
  [{ id: 17 }, 'id: expected a text, got a number'],
  [{ top: '0' }, 'top: expected at least 1, got 0'],
  [{ top: '21' }, 'top: expected at most 20, got 21'],
  [{ top: '1.5' }, 'top: expected a whole number, got 1.5'],
  [{ top: 'x' }, 'top: expected a number, got a text'],
  [{ images: [] }, 'images: expected at least 1 item, got 0'],
  [{ images: ['a', 'b', 'c'] }, 'images: expected at most 2 items, got 3'],
  [{ images: ['a', null] }, 'images[1]: expected a text, got null'],
  [{ images: {} }, 'images: expected a list, got an object'],
  [{ named: '' }, 'named: expected a name'],
  [{ other: 1 }, 'unknown field "other"'],
  [{ id: 17, top: '0' }, 'id: expected a text, got a number; top: expected at least 1, got 0'],
  ['text', 'expected an object, got a text'],
])('the issues of %j are in plain words: %s', (given, words) => {
  const { error } = schema.safeParse(given);
  expect(error && issuesText(error, given)).toBe(words);
});

test('no issue contains wording of the validator', () => {
  const given = { kind: 'c', id: undefined, images: [undefined] };
  const { error } = schema.safeParse(given);
  expect(error && issuesText(error, given)).not.toMatch(/✖|→|Invalid|received|>=/);
});
