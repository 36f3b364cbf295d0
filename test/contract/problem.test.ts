import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { PROBLEMS, problemDocument } from '../../shared/contract/problem.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');
/** `| 404 | `not_found` | no | meaning |` */
const ROWS = [...PAGE.matchAll(/^\| (\d{3}) \| `(\w+)` \| (yes|no) \| (.+) \|$/gm)].map((row) => row.slice(1));

test('the page about the API has a row for each code, with its status and its meaning', () => {
  const expected = Object.entries(PROBLEMS).map(([code, { status, retryable, meaning }]) => [
    String(status),
    code,
    retryable ? 'yes' : 'no',
    meaning,
  ]);
  expect(ROWS.toSorted()).toEqual(expected.toSorted());
});

test('a problem contains no secret of a URL', () => {
  const { detail } = problemDocument('invalid_request', 'got https://me:pw@host/a.jpg?X-Amz-Signature=abc#part');
  expect(detail).toBe('got https://host/a.jpg');
});

test('a problem has the fields of RFC 9457, and the code', () => {
  expect(problemDocument('rate_limited', 'expected status 200, got 429')).toEqual({
    type: 'urn:labelqueue:problem:rate_limited',
    title: 'rate limited by the server (429)',
    status: 429,
    detail: 'expected status 200, got 429',
    code: 'rate_limited',
    retryable: true,
  });
});
